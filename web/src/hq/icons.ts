export {
  ArrowDown, Avatar, DataBoard, Document, Download, Files, Finished, FirstAidKit, Hide, House, Location, OfficeBuilding, Place, Plus, Refresh, Search, Setting, Share, Upload, User, View,
} from '@element-plus/icons-vue';
