// The views, in the order of the navigation. A view is { name, title, sentence, terms, serves, show }: its name is that of
// its file, sentence says what to try, a text or sentence(model, data), and terms are the keys of the glossary's terms
// that it mentions. parts are selectors of what a lesson's step looks at, by the names of pages/<view>.py.
// serves(model) returns "", or why the view cannot show a model, as the end of a sentence. show(element, host) fills an
// element and returns { update(), destroy() }; update runs when the point has changed.
import { view as about } from './views/about.js';
import { view as disentangle } from './views/disentangle.js';
import { view as inside } from './views/inside.js';
import { view as interpolate } from './views/interpolate.js';
import { view as map } from './views/map.js';
import { view as match } from './views/match.js';
import { view as sample } from './views/sample.js';
import { view as sliders } from './views/sliders.js';

export const VIEWS = [sliders, sample, interpolate, map, inside, disentangle, match, about];
