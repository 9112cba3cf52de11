package main

import (
	"fmt"
	"html"
	"math"
	"strings"

	"superlist/e2e/figures"
)

// A bar is what superlist needs of what another program needs for the same.
type bar struct {
	what, peer string
	cost       float64
}

// shown are the figures in the picture: by part, and what the peer's name begins
// with. The first that fits is shown.
var shown = []struct{ part, what, peer, as, beside string }{
	{"session", "a session, log none", "exim4 -bs", "a session, by the clock", "exim4 -bs"},
	{"session", "a session, log none", "floor", "a session, by the clock", "a Go program that only writes the file"},
	{"counts", "page faults", "exim4 -bs", "a session's page faults", "exim4 -bs"},
	{"counts", "system calls", "exim4 -bs", "a session's system calls", "exim4 -bs"},
	{"post", "", "mlmmj-send verp=postfix", "a post to 10,000 members", "mlmmj-send"},
	{"personal", "", "smtp-source", "messages of their own into Postfix", "smtp-source, which makes none"},
	{"personal", "", "mlmmj-send", "messages of their own into Postfix", "mlmmj-send"},
	{"milter", "superlist-milter by spawn, other mail", "libmilter", "mail through a milter, by spawn", "a resident libmilter that does nothing"},
	{"milter", "superlist-milter by spawn, other mail", "no milter", "mail through a milter, by spawn", "no milter"},
	{"proxy", "other mail", "no filter", "mail through a before-queue filter", "no filter"},
	{"web", "a request for a Message-ID", "an empty CGI program", "a request to a list's web pages", "an empty CGI program in Go"},
}

func barsOf(f figures.File) (bars []bar) {
	for _, s := range shown {
		if fig, ok := find(f, s.part, s.what, s.peer); ok {
			bars = append(bars, bar{what: s.as, peer: s.beside, cost: fig.Cost()})
		}
	}
	return bars
}

func find(f figures.File, part, what, peer string) (figures.Figure, bool) {
	for _, run := range f.Runs {
		for _, fig := range run.Figures {
			if run.Part == part && fig.Peer != "" && fig.Ratio > 0 && strings.HasPrefix(fig.What, what) && strings.HasPrefix(fig.Peer, peer) {
				return fig, true
			}
		}
	}
	return figures.Figure{}, false
}

// spoken is the picture in words.
func spoken(bars []bar) string {
	if len(bars) == 0 {
		return "Nothing was measured yet"
	}
	var parts []string
	for _, b := range bars {
		parts = append(parts, fmt.Sprintf("%s %s of %s", b.what, number(b.cost), b.peer))
	}
	return "What superlist needs, as a share of what others need for the same: " + strings.Join(parts, "; ")
}

// link shows the picture in Markdown.
func link(file string, bars []bar) string {
	return fmt.Sprintf("![%s.](%s)\n", spoken(bars), file)
}

// Sizes of the picture, in pixels.
const (
	width  = 760
	left   = 300 // where bars begin
	unit   = 130 // how long a bar of 1 is
	row    = 40
	top    = 56
	most   = (width - left - 60) / float64(unit) // what is more is cut off
	corner = 3
)

// picture is an SVG that has the colours of the reader's theme.
func picture(bars []bar) string {
	height := top + row*len(bars) + 16
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title words" font-family="system-ui, sans-serif" font-size="14">
<title id="title">What superlist needs of what others need</title>
<desc id="words">%s.</desc>
<style>
.ground { fill: #ffffff } text { fill: #1f2328 } .peer, .note { fill: #59636e; font-size: 12px } .less { fill: #1a7f37 } .more { fill: #bc4c00 } .line { stroke: #59636e }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #f0f6fc } .peer, .note { fill: #9198a1 } .less { fill: #3fb950 } .more { fill: #f0883e } .line { stroke: #9198a1 }
}
</style>
<rect class="ground" width="100%%" height="100%%"/>
<text x="16" y="26" font-weight="600">What superlist needs, where the other needs 1: shorter is better</text>
`, width, height, width, height, html.EscapeString(spoken(bars)))
	for i, bar := range bars {
		y := top + row*i
		class, end := "less", ""
		if bar.cost > 1 {
			class = "more"
		}
		if bar.cost > most {
			end = " →"
		}
		long := math.Max(2, math.Min(bar.cost, most)*unit)
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>
<text class="peer" x="%d" y="%d" text-anchor="end">beside %s</text>
<rect class="%s" x="%d" y="%d" width="%.0f" height="20" rx="%d"/>
<text x="%.0f" y="%d">%s%s</text>
`, left-12, y+11, html.EscapeString(bar.what), left-12, y+26, html.EscapeString(bar.peer), class, left, y+2, long, corner, left+long+8, y+17, number(bar.cost), end)
	}
	fmt.Fprintf(&b, `<line class="line" x1="%d" y1="%d" x2="%d" y2="%d" stroke-dasharray="4 3"/>
<text class="note" x="%d" y="%d" text-anchor="middle">1: as much</text>
</svg>
`, left+unit, top-4, left+unit, height-14, left+unit, top-8)
	return b.String()
}
