/* The looks of report.html, and the little it does by itself. */
#include "evaluation/page.h"

/*
 * Blue is right and orange wrong, which people who do not tell red from green
 * can tell; text has a contrast of at least 4.5 to 1 in light and dark.
 */
const char *const page_style[] = {
    ":root{--paper:#fbfaf7;--card:#fff;--ink:#1c2126;--soft:#59636d;--rule:#dedbd3;"
    "--right:#2f6690;--wrong:#bb5a22;--track:#e9e6de;--notice:#fdf1dc;--edge:#c98a1b}\n",
    "@media(prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f23;--ink:#e3e5e6;"
    "--soft:#9aa5ae;--rule:#2e343a;--right:#74aad6;--wrong:#e8935c;--track:#2a3036;"
    "--notice:#2c2415;--edge:#b98225}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}\n",
    "@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}\n",
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;"
    "font-variant-numeric:tabular-nums lining-nums}\n",
    "header,main,footer{max-width:66rem;margin:0 auto;padding:0 clamp(1rem,4vw,2.5rem)}\n",
    "header{padding-top:clamp(1.5rem,5vw,3.5rem)}\n",
    "h1,h2,h3{font-weight:600;line-height:1.2;text-wrap:pretty}\n",
    "h1{font-size:clamp(1.6rem,5vw,2.5rem);letter-spacing:-.015em;margin:.1em 0 .25em;"
    "overflow-wrap:anywhere}\n",
    "h2{font-size:1.3rem;letter-spacing:-.005em;margin:0 0 1rem}\n",
    "h3{font-size:1rem;margin:0 0 .6rem}\n",
    "p{max-width:44rem;margin:0 0 1rem}\n",
    "section{border-top:1px solid var(--rule);margin-top:2.75rem;padding-top:1.5rem}\n",
    ".kind{text-transform:uppercase;letter-spacing:.12em;font-size:.75rem;color:var(--soft);"
    "margin:0}\n",
    ".lead{color:var(--soft);overflow-wrap:anywhere;margin:0}\n",
    ".lead b{color:var(--ink);font-weight:500}\n",
    ".small,.id,figcaption,.path{color:var(--soft);font-size:.85rem}\n",
    ".id{font-size:.8em}\n",
    "nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin-top:1.5rem;font-size:.9rem}\n",
    "a{color:var(--right);text-underline-offset:.2em}\n",
    "code{font:.9em ui-monospace,'DejaVu Sans Mono',monospace}\n",
    ":focus-visible{outline:2px solid var(--right);outline-offset:2px}\n",
    /* the figures */
    ".figures{display:grid;grid-template-columns:repeat(6,1fr);gap:1.75rem 2.5rem;margin:0}\n",
    ".figure{grid-column:span 2}.figure.wide{grid-column:span 3}\n",
    ".figure dt{font-size:.85rem;color:var(--soft)}.figure dd{margin:0}\n",
    ".big,.mid{display:block;font-weight:300;letter-spacing:-.03em;line-height:1.15}\n",
    ".big{font-size:clamp(2.4rem,8vw,4rem)}.mid{font-size:clamp(1.4rem,4vw,1.9rem)}\n",
    ".figure svg{max-width:22rem;margin:.4rem 0 .3rem}\n",
    ".account{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:2rem 0 .5rem;max-width:none;"
    "color:var(--soft)}\n",
    ".account b{color:var(--ink);font-weight:600}\n",
    ".notice{background:var(--notice);border-left:4px solid var(--edge);padding:1rem 1.25rem;"
    "margin-top:1.75rem;border-radius:0 4px 4px 0}\n",
    ".notice h2{font-size:1.05rem;margin:0 0 .35rem}.notice p{margin:0;max-width:none}\n",
    /* drawings */
    "svg{display:block;width:100%;height:auto}\n",
    "svg text{font-family:inherit;font-size:13px;fill:var(--soft)}\n",
    "svg text.label{fill:var(--ink)}\n",
    ".track{fill:var(--track)}.fill,.right{fill:var(--right)}.wrong{fill:var(--wrong)}\n",
    ".interval{fill:var(--ink)}\n",
    ".grid{stroke:var(--rule)}.axis{stroke:var(--soft)}\n",
    ".ideal{stroke:var(--soft);stroke-dasharray:4 4}\n",
    ".whisker{stroke:var(--right);stroke-width:1.5}\n",
    ".dot{fill:var(--right);stroke:var(--paper);stroke-width:1.5}\n",
    ".ground{fill:var(--track);opacity:.45}\n",
    ".hit{fill:var(--right)}.miss{fill:var(--wrong)}\n",
    ".s0{opacity:.07}.s1{opacity:.16}.s2{opacity:.25}.s3{opacity:.36}.s4{opacity:.47}.s5{opacity:."
    "58}"
    ".s6{opacity:.69}.s7{opacity:.8}.s8{opacity:.9}\n",
    "figure{margin:0}figcaption{margin-top:.6rem;max-width:44rem}\n",
    ".charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2rem 3rem;"
    "margin:1.25rem 0}\n",
    ".matrix svg{max-width:46rem;min-width:32rem}\n",
    ".classes svg text{font-size:11px}\n",
    ".key{display:inline-block;width:.75em;height:.75em;border-radius:2px}\n",
    ".key.right{background:var(--right)}.key.wrong{background:var(--wrong)}\n",
    /* tables */
    /* a shadow at the side where there is more */
    ".frame{overflow-x:auto;max-width:100%;background:"
    "linear-gradient(90deg,var(--paper) .5rem,transparent 2rem) local,"
    "linear-gradient(-90deg,var(--paper) .5rem,transparent 2rem) local,"
    "linear-gradient(90deg,var(--rule),transparent .75rem),"
    "linear-gradient(-90deg,var(--rule),transparent .75rem)}\n",
    "table{border-collapse:collapse;width:100%;font-size:.92rem}\n",
    "caption{text-align:left;color:var(--soft);font-size:.85rem;padding-bottom:.5rem}\n",
    "th,td{padding:.38rem .75rem;text-align:right;border-bottom:1px solid var(--rule);"
    "white-space:nowrap;font-weight:400}\n",
    "thead th{color:var(--soft);font-size:.82rem;vertical-align:bottom;"
    "border-bottom-color:var(--soft)}\n",
    "th[scope=row],.words{text-align:left}\n",
    "th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}\n",
    "td.words,th[scope=row]{white-space:normal;min-width:9rem;overflow-wrap:anywhere}\n",
    "tbody tr:hover{background:var(--track)}\n",
    ".barred span:last-child{display:inline-block;min-width:4rem}\n",
    ".bar{display:inline-block;vertical-align:middle;width:4.5rem;height:.5rem;"
    "background:var(--track)}\n",
    ".bar i{display:block;height:100%;background:var(--right)}"
    ".barred.miss .bar i{background:var(--wrong)}\n",
    "thead button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;"
    "text-align:inherit}\n",
    "thead button::after{content:'\\2195';opacity:.45;padding-left:.3em}\n",
    "th[aria-sort=ascending] button::after{content:'\\2191';opacity:1}\n",
    "th[aria-sort=descending] button::after{content:'\\2193';opacity:1}\n",
    "details{margin-top:1.5rem}summary{cursor:pointer;color:var(--right);padding:.3rem 0}\n",
    /* the gallery */
    ".gallery{list-style:none;margin:0;padding:0;display:grid;"
    "grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:1.75rem 1.25rem}\n",
    ".gallery img,.nopicture{display:block;width:100%;height:auto;aspect-ratio:1;"
    "object-fit:contain;background:var(--track);border-radius:3px}\n",
    ".gallery img.tiny{image-rendering:pixelated}\n",
    ".nopicture{display:grid;place-items:center;color:var(--soft);font-size:.8rem}\n",
    ".gallery figcaption{line-height:1.35}.gallery figcaption span{display:block}\n",
    ".gallery figcaption .id{display:inline}\n",
    ".taken{color:var(--wrong);font-size:.95rem}.taken b{font-weight:600}\n",
    ".truly{color:var(--ink);font-size:.95rem}\n",
    ".path{font-size:.78rem;overflow-wrap:anywhere;margin-top:.15rem}\n",
    /* facts */
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:2rem 3rem}\n",
    ".facts{margin:0}.facts div{display:grid;grid-template-columns:9rem 1fr;gap:.75rem;"
    "padding:.35rem 0;border-bottom:1px solid var(--rule)}\n",
    ".facts dt{color:var(--soft);font-size:.88rem}.facts dd{margin:0;overflow-wrap:anywhere}\n",
    ".hash{font:.78rem/1.45 ui-monospace,'DejaVu Sans Mono',monospace;word-break:break-all}\n",
    "footer{color:var(--soft);font-size:.85rem;margin-top:3rem;padding-bottom:3rem}\n",
    "@media(max-width:46rem){.charts{grid-template-columns:minmax(0,1fr)}"
    ".figures{gap:1.5rem 1rem}.figure.wide{grid-column:span 6}"
    "th,td{padding:.38rem .45rem}td.words,th[scope=row]{min-width:6.5rem}.bar{width:2.2rem}"
    ".gallery{grid-template-columns:repeat(2,minmax(0,1fr))}"
    "section{margin-top:2.25rem}.facts div{grid-template-columns:7.5rem 1fr}"
    "svg text{font-size:15px}.classes svg text{font-size:26px}.classes .count{display:none}}\n",
    "@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#ccc;"
    "--right:#2f6690;--wrong:#bb5a22;--track:#eee}"
    "body{font-size:10pt}nav,summary{display:none}"
    "figure,li,tr,.figure,.card{break-inside:avoid}h2{break-after:avoid}"
    ".frame{overflow:visible}.bar,.bar i,svg,.key{-webkit-print-color-adjust:exact;"
    "print-color-adjust:exact}}\n",
    NULL,
};

/* Columns of a table sort when their heads are pressed: numbers first from the top, words up. */
const char *const page_script[] = {
    "'use strict';\n",
    "for (const table of document.querySelectorAll('table.sortable')) {\n",
    "  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];\n",
    "  const value = (row, i) => {\n",
    "    const cell = row.cells[i], text = cell.dataset.v ?? cell.textContent.trim();\n",
    "    return cell.dataset.v === undefined && heads[i].classList.contains('words')\n",
    "      ? text.toLowerCase() : parseFloat(text);\n",
    "  };\n",
    "  heads.forEach((head, i) => {\n",
    "    const button = document.createElement('button');\n",
    "    button.type = 'button';\n",
    "    button.append(...head.childNodes);\n",
    "    head.append(button);\n",
    "    button.addEventListener('click', () => {\n",
    "      const words = head.classList.contains('words');\n",
    "      const was = head.getAttribute('aria-sort');\n",
    "      const up = was ? was === 'descending' : words;\n",
    "      heads.forEach(h => h.removeAttribute('aria-sort'));\n",
    "      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');\n",
    "      const rank = (a, b) => a === b ? 0 : Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1\n",
    "        : (a < b) === up ? -1 : 1;\n",
    "      body.append(...[...body.rows].sort((x, y) => rank(value(x, i), value(y, i))));\n",
    "    });\n",
    "  });\n",
    "}\n",
    NULL,
};
