// The little Markdown that forms and messages use: headings, paragraphs, lists, bold, italics, links.
// It makes elements, never HTML text, so that nothing in it can be a script.

import type { ComponentChildren, JSX } from 'preact';

const INLINE = /\*\*(.+?)\*\*|__(.+?)__|\*(.+?)\*|`(.+?)`|\[(.+?)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/g;

const LONGEST_LINK = 44; // characters of a bare link that are shown; signed links run over pages

export function Markdown({ text }: { text: string }): JSX.Element {
  const blocks = text.replace(/\r/g, '').split(/\n{2,}|\n(?=#|[-*] )|(?<=^#[^\n]*)\n/m);
  return <div class="prose">{blocks.filter((block) => block.trim()).map(block)}</div>;
}

function block(text: string, index: number): JSX.Element {
  const heading = /^(#{1,4})\s+(.*)$/s.exec(text.trim());
  if (heading) {
    const Tag = (heading[1]!.length === 1 ? 'h2' : 'h3') as 'h2';
    return <Tag key={index}>{inline(heading[2]!)}</Tag>;
  }
  if (/^[-*] /.test(text)) return <p key={index}>• {inline(text.slice(2))}</p>;
  return (
    <p key={index}>
      {text.split('\n').flatMap((line, n) => (n ? [<br key={`b${n}`} />, ...inline(line)] : inline(line)))}
    </p>
  );
}

function inline(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(at, match.index));
    const [whole, bold, strong, italic, code, label, href, bare] = match;
    if (bold ?? strong) parts.push(<strong key={match.index}>{bold ?? strong}</strong>);
    else if (italic) parts.push(<em key={match.index}>{italic}</em>);
    else if (code) parts.push(<code key={match.index}>{code}</code>);
    else {
      parts.push(
        <a key={match.index} href={href ?? bare} rel="noopener noreferrer">
          {label ?? (bare!.length > LONGEST_LINK ? `${bare!.slice(0, LONGEST_LINK)}…` : bare)}
        </a>,
      );
    }
    at = match.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts;
}
