declare module 'virtual:zh-hant' {
  const messages: Record<string, string>;
  export default messages;
}
