const LIGHT = `--paper:#fcfcfa;--card:#ffffff;--ink:#1d2126;--soft:#5a626c;--line:#dfe2e6;--hair:#eceef0;--wash:#f3f4f2;
--tone-0:#2360b0;--tone-1:#b1500c;--tone-2:#6b46b8;--tone-3:#0b7a70;--tone-4:#a8326e;--tone-5:#5d6a1c;--tone-6:#7d4a2a;--tone-7:#4a5663;--class-0:#2360b0;--class-1:#d06a1e;--good:#17693f`
const DARK = `--paper:#14171a;--card:#1b1f23;--ink:#e8eaec;--soft:#a3abb4;--line:#353b42;--hair:#272c31;--wash:#22272c;
--tone-0:#82b4ff;--tone-1:#ffab66;--tone-2:#c0a5ff;--tone-3:#5fd0c2;--tone-4:#ff9cc8;--tone-5:#c6d26a;--tone-6:#e3b48f;--tone-7:#b4c0cc;--class-0:#82b4ff;--class-1:#ffab66;--good:#74d6a0`

/** How many colours there are for arms and curves. */
export const TONES = 8

const TONE_RULES = Array.from({ length: TONES }, (_, tone) => `.tone-${tone}{--tone:var(--tone-${tone})}`).join('')

/** Colours and the drawings' own rules: all that a standalone SVG needs. Safe inside `<style>`: it holds no markup. */
export const THEME_CSS = `:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
${TONE_RULES}
.chart{display:block;width:100%;height:auto;overflow:visible;font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.chart text{fill:var(--soft);font-variant-numeric:tabular-nums}
.chart .grid{stroke:var(--hair);fill:none}
.chart .over{stroke:var(--ink);stroke-opacity:.14}
.chart .tick,.chart .base{stroke:var(--line);fill:none}
.chart .line{stroke:var(--tone);stroke-width:2.2;fill:none;stroke-linejoin:round;stroke-linecap:round}
.chart .raw{stroke:var(--tone);stroke-width:1;stroke-opacity:.26;fill:none;stroke-linejoin:round}
.chart .key{fill:var(--tone)}
.chart circle,.chart .cells path{fill:var(--tone)}
.chart .legend text,.chart .name{fill:var(--ink);font-weight:600}
.chart .cells text{fill:var(--ink)}
.chart .whisker{stroke:var(--tone);stroke-width:2.4;stroke-linecap:round;fill:none}
.chart .value{fill:var(--ink);font-weight:600}
.chart .cursor{stroke:var(--soft);stroke-dasharray:3 3;fill:none}
.chart .cursor-dot{stroke:var(--card);stroke-width:1.5}
.boundary .class-0{fill:var(--class-0)}.boundary .class-1{fill:var(--class-1)}
.boundary .layer{fill-opacity:.15}
.boundary circle{stroke:var(--paper);stroke-width:.7}
.boundary .half{stroke:var(--ink);stroke-width:1.5;fill:none;stroke-linecap:round}
.boundary .frame{stroke:var(--line);fill:none}
.boundary .paper{fill:var(--paper)}`

/** The page's rules. Sizes are relative, so that a reader's own font size counts. */
export const PAGE_CSS = `*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
h1{font-size:clamp(1.6rem,4.5vw,2.35rem);line-height:1.15;letter-spacing:-.02em;margin:.15rem 0 .8rem;text-wrap:balance}
h2{font-size:1.3rem;letter-spacing:-.01em;margin:3rem 0 .35rem}
h3{font-size:1rem;margin:0 0 .35rem}
p{margin:.35rem 0 .8rem;max-width:46rem;text-wrap:pretty}
a{color:var(--tone-0)}
.overline,.note,figcaption,.facts dt,.caption{color:var(--soft)}
.overline{font-size:.9rem;margin:0}
.note,figcaption,.caption{font-size:.9rem}
.verdict{font-size:1.15rem;max-width:54rem}
.seed{border-left:3px solid var(--line);padding:.1rem 0 .1rem .8rem;color:var(--soft);font-size:.95rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1rem;margin:1.4rem 0}
.card,.plot{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.1rem;margin:0;min-width:0}
.card{border-top:3px solid var(--tone)}
.card h3{color:var(--tone)}
.big{font-size:2.5rem;font-weight:650;letter-spacing:-.03em;line-height:1.1;font-variant-numeric:tabular-nums}
.big small{font-size:1rem;font-weight:400;letter-spacing:0;color:var(--soft)}
.card dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .9rem;margin:.6rem 0 0;font-size:.93rem}
.card dt{color:var(--soft)}.card dd{margin:0;text-align:right;font-variant-numeric:tabular-nums}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:1rem;margin:.8rem 0}
.cards .chart,.chart.intervals{max-width:25rem}
.plot.wide{grid-column:1/-1}
.plot h3{font-size:.98rem}
.surface{border-radius:6px;touch-action:pan-y}
.surface:focus-visible{outline:2px solid var(--tone-0);outline-offset:4px}
.readout{min-height:1.6em;margin:.45rem 0 0;font-size:.88rem;color:var(--soft);font-variant-numeric:tabular-nums;max-width:none}
.readout b{color:var(--tone);font-weight:600;white-space:nowrap}
details{margin-top:.5rem;font-size:.9rem}
summary{cursor:pointer;color:var(--soft);width:fit-content}
summary:focus-visible,input:focus-visible+label{outline:2px solid var(--tone-0);outline-offset:3px;border-radius:4px}
.scroll{overflow-x:auto;max-width:100%;container-type:inline-size}
table{border-collapse:collapse;width:100%;font-size:.93rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:.9rem;padding:.2rem 0 .4rem}
caption span{display:block;position:sticky;left:0;width:fit-content;max-width:min(100cqi,54rem)}
th,td{padding:.42rem .45rem;text-align:right;border-bottom:1px solid var(--hair);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
.scroll th:first-child{position:sticky;left:0;background:var(--paper);white-space:normal;min-width:6.5rem}
.plot .scroll th:first-child{background:var(--card)}
.wide{font-size:.88rem}.wide th,.wide td{padding-left:.3rem;padding-right:.3rem}.wide th:first-child{padding-left:0}
.several{white-space:normal}.several span{white-space:nowrap}
thead th{white-space:normal;vertical-align:bottom;color:var(--soft);font-weight:500;border-bottom-color:var(--line)}
tbody th{font-weight:600;color:var(--tone,var(--ink))}
td.best{font-weight:650}
.better{font-size:.7em;color:var(--good);vertical-align:.15em}
.rates td:nth-child(2),.rates th:nth-child(2){text-align:left}
td small{display:block;color:var(--soft);font-weight:400}
.switch{border:0;padding:0;margin:.4rem 0;display:flex;gap:1.1rem;flex-wrap:wrap;font-size:.93rem;color:var(--soft)}
.switch legend{float:left;padding:0 .2rem 0 0}
.switch label{cursor:pointer;padding:0 .2rem;color:var(--ink)}
.axis-time{display:none}
#curves:has(#by-time:checked) .axis-time{display:grid}
#curves:has(#by-time:checked) .axis-steps{display:none}
.sentence{border:1px solid var(--line);border-radius:10px;background:var(--card);padding:.9rem 1.1rem;margin:.8rem 0}
.sentence dl{display:grid;grid-template-columns:8.5rem 1fr;gap:.35rem 1rem;margin:0}
.sentence dt{color:var(--tone,var(--soft));font-size:.9rem}.sentence dd{margin:0;overflow-wrap:anywhere}
.sentence dd.source{font-weight:600}
.nothing{color:var(--soft);font-style:italic}
.facts{display:grid;grid-template-columns:minmax(8rem,auto) 1fr;gap:.25rem 1.2rem;margin:.4rem 0 1rem;font-size:.93rem}
.facts dd{margin:0;overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86rem}
pre{background:var(--wash);border-radius:8px;padding:.8rem 1rem;overflow-x:auto;line-height:1.45}
footer{color:var(--soft);font-size:.88rem;padding-top:2rem;padding-bottom:3rem}
@media (max-width:34rem){.chart{font-size:17px}.sentence dl,.facts{grid-template-columns:1fr;gap:0}.sentence dd,.facts dd{margin-bottom:.5rem}h2{margin-top:2.2rem}.card,.plot{padding:.85rem .8rem}}
@media (max-width:23rem){.chart{font-size:20px}}
@media print{.card,.plot,.sentence{break-inside:avoid}.switch{display:none}}`
