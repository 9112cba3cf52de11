package migrate

import (
	"fmt"
	"strings"
)

// maxNamed is how many things of one kind a report names; more are counted.
const maxNamed = 1000

// A Report says what became of everything that was found.
type Report struct {
	List    string  `json:"list"`
	From    string  `json:"from"`    // "mlmmj, /var/spool/mlmmj/dev"
	DryRun  bool    `json:"dry_run"` // nothing was changed
	Members int     `json:"members"` // taken over
	There   int     `json:"there"`   // of those that came, were members already
	Held    int     `json:"held"`
	Archive int     `json:"archive"`
	Twice   int     `json:"twice"`    // stood there more than once
	Out     int     `json:"left_out"` // had left, here or where they come from
	Bad     int     `json:"bad"`      // lines of a file of members that are none
	Taken   []Taken `json:"taken"`
	Left    []Left  `json:"left"`

	Lines int `json:"-"` // of a file of members that are one …
	Blank int `json:"-"` // … and those that say nothing

	named map[string]int // by source
}

// Taken is a thing that is here now, as what it is here.
type Taken struct {
	What string `json:"what"` // a file, a key, a line: control/closedlist
	As   string `json:"as"`
}

// Left is a thing that is not here.
type Left struct {
	What    string `json:"what"`
	Why     string `json:"why"`
	Instead string `json:"instead,omitempty"` // what somebody can do about it
}

func (r *Report) take(what, as string, args ...any) {
	r.Taken = append(r.Taken, Taken{what, fmt.Sprintf(as, args...)})
}

func (r *Report) leave(what, why, instead string) {
	r.Left = append(r.Left, Left{what, why, instead})
}

// leaveLine leaves a line of a source, and counts those of the source that are
// too many to be named.
func (r *Report) leaveLine(source string, n int, why string) {
	if r.named == nil {
		r.named = make(map[string]int)
	}
	if r.named[source]++; r.named[source] <= maxNamed {
		r.leave(fmt.Sprintf("%s:%d", source, n), why, "")
	}
}

// End adds what was only counted. A report is complete after it.
func (r *Report) End() {
	for source, n := range r.named {
		if n > maxNamed {
			r.leave(source, fmt.Sprintf("%d more lines that are not understood", n-maxNamed), "")
		}
	}
	r.named = nil
	if r.Taken == nil {
		r.Taken = []Taken{} // and no null in JSON
	}
	if r.Left == nil {
		r.Left = []Left{}
	}
}

// count is "1 member", "2 members".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "s") {
		thing += "e"
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// short is a text of somebody else's, for a report: what it begins with, quoted.
func short(s string) string { return fmt.Sprintf("%q", clip(s)) }

// clip is what a text begins with.
func clip(s string) string {
	if runes := []rune(s); len(runes) > 120 {
		s = string(runes[:119]) + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
