// Package figures is what e2e/bench has measured, and what e2e/tables writes into
// the documents.
package figures

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
)

// A File is what was measured last of each part of the bench.
type File struct {
	Runs []Run `json:"runs"`
}

// A Run is one part of the bench, run once.
type Run struct {
	Part     string   `json:"part"`
	Command  string   `json:"command"` // which prints it
	Date     string   `json:"date"`    // 2026-12-01
	Machine  string   `json:"machine"`
	Versions []string `json:"versions"` // of superlist, Go and the peers
	Seconds  float64  `json:"seconds"`  // how long it took
	Figures  []Figure `json:"figures"`
}

// A Figure is one thing that was measured. With a peer, Ratio is ours to theirs,
// round by round where that is possible, and Want is about that; else it is about
// Ours.
type Figure struct {
	What   string  `json:"what"`
	Unit   string  `json:"unit,omitempty"`
	Ours   float64 `json:"ours"`
	Peer   string  `json:"peer,omitempty"`
	Theirs float64 `json:"theirs,omitempty"`
	Ratio  float64 `json:"ratio,omitempty"`
	Want   float64 `json:"want,omitempty"` // 0: for information
	More   bool    `json:"more,omitempty"` // the more the better
}

// Judged is the number that Want is about.
func (f Figure) Judged() float64 {
	if f.Peer != "" {
		return f.Ratio
	}
	return f.Ours
}

// Met reports whether it is as wanted.
func (f Figure) Met() bool {
	switch {
	case f.Want == 0:
		return true
	case f.More:
		return f.Judged() >= f.Want
	}
	return f.Judged() <= f.Want
}

// Cost is how much more than the peer superlist needs, whichever way the figure
// counts.
func (f Figure) Cost() float64 {
	if f.More {
		return 1 / f.Ratio
	}
	return f.Ratio
}

// Read reads a file. One that does not exist has nothing in it.
func Read(name string) (File, error) {
	var f File
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	return f, err
}

// Put takes in a run, in the place of the one before of the same part.
func (f *File) Put(r Run) {
	if i := slices.IndexFunc(f.Runs, func(o Run) bool { return o.Part == r.Part }); i >= 0 {
		f.Runs[i] = r
		return
	}
	f.Runs = append(f.Runs, r)
}

// Write replaces the file.
func (f File) Write(name string) error {
	text, err := json.MarshalIndent(f, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
