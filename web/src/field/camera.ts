/* Reads QR codes from pictures: by the browser where it can, else by zxing, which is fetched when the camera is opened first. */
type Look = (v: HTMLVideoElement) => Promise<string | null>;
interface Detector { detect(v: HTMLVideoElement): Promise<{ rawValue: string }[]> }
type DetectorClass = { new (o: { formats: string[] }): Detector; getSupportedFormats(): Promise<string[]> };

async function own(): Promise<Look | null> {
  const D = (window as unknown as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (!D || (await D.getSupportedFormats().catch(() => [] as string[])).indexOf('qr_code') < 0) return null;
  const d = new D({ formats: ['qr_code'] });
  return async (v) => {
    const found = await d.detect(v);
    return found.length ? found[0].rawValue : null;
  };
}
async function zxing(): Promise<Look> {
  const { readCode } = await import('./zxing');
  const canvas = document.createElement('canvas');
  return async (v) => {
    const scale = Math.min(1, 960 / Math.max(v.videoWidth, v.videoHeight, 1));
    canvas.width = Math.round(v.videoWidth * scale);
    canvas.height = Math.round(v.videoHeight * scale);
    const c = canvas.getContext('2d', { willReadFrequently: true });
    if (!c || !canvas.width) return null;
    c.drawImage(v, 0, 0, canvas.width, canvas.height);
    return readCode(c.getImageData(0, 0, canvas.width, canvas.height));
  };
}
export const reader = async (): Promise<Look> => (await own()) || zxing();

export interface Light { on: boolean; toggle: () => Promise<void> }
export async function openCamera(v: HTMLVideoElement): Promise<{ stop: () => void; light: Light | null }> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } } });
  v.srcObject = stream;
  await v.play();
  const track = stream.getVideoTracks()[0];
  const can = track.getCapabilities ? (track.getCapabilities() as { torch?: boolean }).torch : false;
  const light: Light | null = can ? {
    on: false,
    async toggle() {
      await track.applyConstraints({ advanced: [{ torch: !this.on } as MediaTrackConstraintSet] });
      this.on = !this.on;
    },
  } : null;
  return { light, stop: () => stream.getTracks().forEach((x) => x.stop()) };
}
