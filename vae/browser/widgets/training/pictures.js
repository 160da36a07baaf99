// The decoded images of the plane. A browser holds each snapshot's as its file, and a few of them as pixels.
const MAX_DECODED = 6;

export function createPictures() {
  const decoded = new Map(); // {step: HTMLImageElement}, the latest last
  return {
    // Returns a snapshot's picture, which is complete when the promise resolves.
    async load({ step, plane }) {
      const image = decoded.get(step) ?? new Image();
      decoded.delete(step);
      decoded.set(step, image);
      if (decoded.size > MAX_DECODED) decoded.delete(decoded.keys().next().value);
      image.src ||= `data:image/webp;base64,${plane}`;
      await image.decode();
      return image;
    },
    forget: () => decoded.clear(),
  };
}
