// Passes images decoded by the server from Python to the panel.
export default function ({ data }) {
  if (!data?.length) return;
  const { header, payload } = readMessage(data);
  mailbox().news.dispatchEvent(new CustomEvent('answer', { detail: { ...header, pixels: payload } }));
}
