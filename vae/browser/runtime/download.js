// Offers a file that the page made.
const KEPT = 10_000; // ms, in which the browser reads the file

// content: bytes or text of this media type. name: of the file.
export function download(content, type, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(URL.revokeObjectURL, KEPT, link.href);
}
