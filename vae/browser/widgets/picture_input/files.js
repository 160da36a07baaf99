// The ways by which a file reaches the widget without being chosen: dropped, pasted.

// element: the whole widget. take(file) receives a File, refuse(sentence) what the browser does not give.
export function receiveFiles(element, mailbox, { take, refuse }, signal) {
  const at = { signal };
  const light = (isOver) => element.classList.toggle('dropping', isOver);
  for (const name of ['dragenter', 'dragover']) {
    element.addEventListener(name, (event) => {
      if (!holdsPicture(event.dataTransfer)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      light(true);
    }, at);
  }
  element.addEventListener('dragleave', (event) => element.contains(event.relatedTarget) || light(false), at);
  element.addEventListener('drop', (event) => {
    if (!holdsPicture(event.dataTransfer)) return;
    event.preventDefault(); // the browser would leave the page for the picture
    light(false);
    const file = fileOf(event.dataTransfer);
    if (file) take(file);
    else refuse('Your browser gave the address of the picture, not the picture. Save it, then choose the file.');
  }, at);
  receivePasted(element, mailbox, take, signal);
}

const holdsPicture = ({ types }) => types.includes('Files') || types.includes('text/uri-list');

// Of several files the first picture. A picture copied from a page comes with text, and is named "image.png".
function fileOf({ files }) {
  return [...files].find(({ type }) => type.startsWith('image/')) ?? files[0];
}

// A page has one clipboard: what is pasted goes to the widget that was last touched, else to the first.
function receivePasted(element, mailbox, take, signal) {
  const { pasteTargets } = mailbox;
  pasteTargets.push(element);
  signal.addEventListener('abort', () => pasteTargets.splice(pasteTargets.indexOf(element), 1));
  for (const name of ['pointerenter', 'focusin']) {
    element.addEventListener(name, () => (mailbox.pasteTarget = element), { signal });
  }
  document.addEventListener('paste', (event) => {
    const target = pasteTargets.includes(mailbox.pasteTarget) ? mailbox.pasteTarget : pasteTargets[0];
    const file = target === element && !isEditable(event.composedPath()[0]) && fileOf(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    take(new File([file], file.name === 'image.png' ? 'pasted picture' : file.name, { type: file.type }));
  }, { signal });
}

const isEditable = (element) => element.isContentEditable || /^(textarea|select)$/i.test(element.tagName) || (element.tagName === 'INPUT' && !/^(range|file|checkbox|button)$/.test(element.type));
