// A photo from the camera: the phone's own camera app, or a live picture with a shutter. Or a file, where neither works.
import { reduce } from './decode.js';

// Returns "app" where a file input opens the camera, "live" where the page may see it, "" where neither can work.
export function cameraOf({ matchMedia, isSecureContext, navigator }) {
  if (matchMedia('(pointer: coarse)').matches && navigator.maxTouchPoints > 0) return 'app';
  return isSecureContext && navigator.mediaDevices?.getUserMedia ? 'live' : '';
}

// box: an element with a video, a shutter and a close button. take(picture) receives the pixels, refuse(sentence) why
// there are none.
export function createCamera(box, { take, refuse }, signal) {
  const video = box.querySelector('video');
  const camera = { stream: null, wanted: false };
  const close = () => {
    camera.wanted = false;
    box.hidden = true;
    camera.stream?.getTracks().forEach((track) => track.stop());
    camera.stream = video.srcObject = null;
  };
  const open = async () => {
    camera.wanted = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } } });
      if (!camera.wanted) return stream.getTracks().forEach((track) => track.stop());
      camera.stream = video.srcObject = stream;
      box.hidden = false;
      await video.play();
      box.querySelector('.shutter').focus();
    } catch (error) {
      close();
      refuse(sentenceOf(error));
    }
  };
  box.querySelector('.shutter').onclick = async () => {
    const { videoWidth, videoHeight } = video;
    if (!videoWidth) return; // no picture yet
    const frame = await createImageBitmap(video); // the video goes on while its frame is read
    const picture = await reduce(frame, videoWidth, videoHeight);
    frame.close();
    close();
    take(picture);
  };
  box.querySelector('.close').onclick = close;
  document.addEventListener('visibilitychange', () => document.hidden && close(), { signal });
  signal.addEventListener('abort', close);
  return { open, close };
}

function sentenceOf({ name }) {
  if (name === 'NotAllowedError') return 'The browser does not let this page use the camera. Allow it in the address bar, or choose a file.';
  if (name === 'NotFoundError') return 'This device has no camera. Choose a file instead.';
  return 'The camera cannot be used now; another program may be using it. Choose a file instead.';
}

// Opens the browser's dialog for a file; from the camera where it is a phone's.
export function chooseFile(input, take) {
  input.value = ''; // the same file may be chosen again
  input.onchange = () => input.files[0] && take(input.files[0]);
  input.click();
}
