import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';

/* From the site itself: left alone it would be fetched from another host. */
prepareZXingModule({ overrides: { locateFile: (path: string, prefix: string) => (path.slice(-5) === '.wasm' ? wasm : prefix + path) } });

export async function readCode(picture: ImageData): Promise<string | null> {
  const found = await readBarcodes(picture, { formats: ['QRCode'], maxNumberOfSymbols: 1, tryHarder: true });
  return found.length && found[0].isValid ? found[0].text : null;
}
