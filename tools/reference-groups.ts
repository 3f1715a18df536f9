/**
 * A plugin of typedoc (`npm run docs`): exports are grouped by the place of their file, so that a new one needs no tag,
 * and documents are called by their first heading.
 */
import {
  type Application,
  type Comment,
  CommentTag,
  Converter,
  type DeclarationReflection,
  type DocumentReflection,
} from 'typedoc';

/** The groups in the order of the reference, each with the beginnings of its paths below lib; the longest one counts. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Tensors: [''],
  Operations: ['ops/'],
  Layers: ['nn/', 'models/', 'node/models'],
  Training: ['train/', 'optim/', 'node/checkpoints/', 'node/logs/', 'node/progress/'],
  Data: ['data/', 'node/pictures/', 'node/audit/'],
  Reports: ['report/'],
  Files: ['io/', 'node/'],
  Devices: ['device/', 'node/open-device', 'tune'],
  Errors: ['errors'],
};
const PLACES = Object.entries(GROUPS)
  .flatMap(([group, beginnings]) => beginnings.map((beginning) => ({ group, beginning })))
  .sort((a, b) => b.beginning.length - a.beginning.length);

/** Called by typedoc. */
export function load(app: Application): void {
  app.on('bootstrapEnd', () => {
    app.options.setValue('groupOrder', ['Documents', ...Object.keys(GROUPS)]);
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const document of project.documents ?? []) document.name = headingOf(document);
    for (const exported of (project.children ?? []).flatMap((entry) => entry.children ?? [])) {
      const path = project.getSymbolIdFromReflection(exported)?.packagePath.replace(/^lib\//, '');
      const place = PLACES.find(({ beginning }) => path?.startsWith(beginning));
      if (!place) throw new Error(`${exported.getFullName()} stands in no file`);
      for (const comment of commentsOf(exported)) {
        comment.blockTags.push(new CommentTag('@group', [{ kind: 'text', text: place.group }]));
      }
    }
  });
}

function headingOf({ name, content }: DocumentReflection): string {
  const text = content.map((part) => part.text).join('');
  return /^# (.*)$/m.exec(text)?.[1] ?? name;
}

/** A function's comments are those of its signatures. */
function commentsOf(exported: DeclarationReflection): Comment[] {
  return [exported, ...(exported.signatures ?? [])].flatMap(({ comment }) => comment ?? []);
}
