package migrate

import (
	"fmt"
	"strings"
)

// maxNamed is how many things of one kind a report names; further ones are counted.
const maxNamed = 1000

// A Report says what became of everything that was found.
type Report struct {
	List    string  `json:"list"`
	From    string  `json:"from"`    // "mlmmj, /var/spool/mlmmj/dev"
	DryRun  bool    `json:"dry_run"` // nothing was changed
	Members int     `json:"members"` // taken over
	There   int     `json:"there"`   // those already members
	Held    int     `json:"held"`
	Archive int     `json:"archive"`
	Twice   int     `json:"twice"`    // repeated entries
	Out     int     `json:"left_out"` // those who had left, here or elsewhere
	Bad     int     `json:"bad"`      // invalid lines of a file of members
	Taken   []Taken `json:"taken"`
	Left    []Left  `json:"left"`

	Lines int `json:"-"` // valid lines of a file of members …
	Blank int `json:"-"` // … and empty ones and comments

	named map[string]int // by source
}

// Taken is something that was taken over, and what it is here.
type Taken struct {
	What string `json:"what"` // a file, a key, a line: control/closedlist
	As   string `json:"as"`
}

// Left is something that was not taken over.
type Left struct {
	What    string `json:"what"`
	Why     string `json:"why"`
	Instead string `json:"instead,omitempty"` // what can be done about it
}

func (r *Report) take(what, as string, args ...any) {
	r.Taken = append(r.Taken, Taken{what, fmt.Sprintf(as, args...)})
}

func (r *Report) leave(what, why, instead string) {
	r.Left = append(r.Left, Left{what, why, instead})
}

// A setting is one of another manager's that has no counterpart here.
type setting struct {
	name    string
	same    string // here it is always so
	why     string // it is left out
	instead string
	shown   bool // the report shows its text
}

// settle reports what became of a setting with this text.
func (r *Report) settle(source string, s setting, text string) {
	if s.same != "" {
		r.take(source, "%s", s.same)
		return
	}
	why := s.why
	if text = strings.TrimSpace(text); s.shown && text != "" {
		why += ": " + short(text)
	}
	r.leave(source, why, s.instead)
}

// leaveLine leaves out a line of a source. Lines beyond maxNamed are only counted.
func (r *Report) leaveLine(source string, n int, why string) {
	if r.named == nil {
		r.named = make(map[string]int)
	}
	if r.named[source]++; r.named[source] <= maxNamed {
		r.leave(fmt.Sprintf("%s:%d", source, n), why, "")
	}
}

// End adds what was only counted. The report is complete after it.
func (r *Report) End() {
	for source, n := range r.named {
		if n > maxNamed {
			r.leave(source, fmt.Sprintf("%d more lines that are not understood", n-maxNamed), "")
		}
	}
	r.named = nil
	if r.Taken == nil {
		r.Taken = []Taken{} // so that JSON has no null
	}
	if r.Left == nil {
		r.Left = []Left{}
	}
}

// count returns "1 member", "2 members".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "s") {
		thing += "e"
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// short returns the quoted beginning of somebody's text, for a report.
func short(s string) string { return fmt.Sprintf("%q", clip(s)) }

// clip returns the beginning of a text.
func clip(s string) string {
	if runes := []rune(s); len(runes) > 120 {
		s = string(runes[:119]) + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
