package postfix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"superlist/queue/disk"
)

// recordName is the directory within Postfix's that contains the backup and the record
// of the change.
const recordName = "superlist-setup"

// Files are the two files that a change replaces.
type Files struct{ Main, Master []byte }

func (f Files) equal(o Files) bool {
	return bytes.Equal(f.Main, o.Main) && bytes.Equal(f.Master, o.Master)
}

// A Change records the two files as they were before the first change, as they were
// before this one, and as this one makes them.
type Change struct {
	Before, From, After Files
	Plan                *Plan
}

// files returns the contents by their names in the record.
func (c *Change) files() map[string]*[]byte {
	return map[string]*[]byte{
		"main.cf.before": &c.Before.Main, "master.cf.before": &c.Before.Master, "main.cf.from": &c.From.Main, "master.cf.from": &c.From.Master,
		"main.cf.after": &c.After.Main, "master.cf.after": &c.After.Master,
	}
}

// between reports whether files are in a state that an interrupted Make or Back leaves.
func (c *Change) between(now Files) bool {
	return slices.ContainsFunc([]Files{c.From, {c.From.Main, c.After.Master}, c.Before, {c.Before.Main, c.After.Master}, {c.Before.Main, c.From.Master}}, now.equal)
}

// A State says how far a change has got.
type State int

const (
	None        State = iota // there is none
	Interrupted              // somebody died in between; Postfix works as it did before
	Made                     // it is made
	Edited                   // it was made, and somebody has edited the files since
)

// A Host is a host whose Postfix is changed.
type Host struct {
	Dir    string     // Postfix's configuration directory
	Disk   *disk.Disk // nil: the real one
	Reload func() error
}

func (h *Host) record() string { return filepath.Join(h.Dir, recordName) }

// Read reads the two files.
func (h *Host) Read() (f Files, err error) {
	if f.Main, err = os.ReadFile(filepath.Join(h.Dir, "main.cf")); err == nil {
		f.Master, err = os.ReadFile(filepath.Join(h.Dir, "master.cf"))
	}
	return f, err
}

// Look returns the change that was made here, and its state.
func (h *Host) Look() (c *Change, state State, err error) {
	c = &Change{Plan: new(Plan)}
	for name, into := range c.files() {
		if *into, err = os.ReadFile(filepath.Join(h.record(), name)); err != nil {
			break
		}
	}
	var plan []byte
	if err == nil {
		plan, err = os.ReadFile(filepath.Join(h.record(), "plan.json"))
	}
	if err == nil {
		err = json.Unmarshal(plan, c.Plan)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if _, none := os.Stat(h.record()); errors.Is(none, fs.ErrNotExist) {
			return nil, None, nil
		}
	}
	if err != nil {
		return nil, None, fmt.Errorf("%s is damaged: %w", h.record(), err)
	}
	now, err := h.Read()
	switch {
	case err != nil:
		return nil, None, err
	case now.equal(c.After):
		state = Made
	case c.between(now):
		state = Interrupted
	default:
		state = Edited
	}
	return c, state, nil
}

// Make makes a change, under a lock of the directory. First it writes the record, in
// one step. Then it puts new services into master.cf, which nothing uses yet, and
// Postfix starts them. Only then does main.cf name them. So at each moment Postfix
// works either in the old way or in the new one.
func (h *Host) Make(c *Change) error {
	if err := h.keep(c); err != nil {
		return err
	}
	if err := h.put("master.cf", c.After.Master); err != nil {
		return err
	}
	return h.put("main.cf", c.After.Main)
}

// Back puts the files of before a change into place, in the reverse order, and deletes
// the record.
func (h *Host) Back(f Files) error {
	if err := h.put("main.cf", f.Main); err != nil {
		return err
	}
	if err := h.put("master.cf", f.Master); err != nil {
		return err
	}
	return h.forget()
}

// Names of a record that is being written, and of one that is being deleted. Neither counts.
func (h *Host) begun() string { return h.record() + ".new" }
func (h *Host) gone() string  { return h.record() + ".old" }

// Sweep removes what a process that was killed has left beside the record.
func (h *Host) Sweep() error {
	if err := h.Disk.RemoveAll(h.begun()); err != nil {
		return err
	}
	return h.Disk.RemoveAll(h.gone())
}

// forget deletes the record: one rename gives it a name that does not count.
func (h *Host) forget() error {
	if err := h.Sweep(); err != nil {
		return err
	}
	if _, err := h.Disk.Rename(h.record(), h.gone()); err != nil {
		return err
	}
	if err := h.Disk.RemoveAll(h.gone()); err != nil {
		return err
	}
	return h.Disk.SyncDir(h.Dir) // a power cut does not bring it back
}

// keep writes the record of a change, in place of the previous record.
func (h *Host) keep(c *Change) error {
	plan, err := json.MarshalIndent(c.Plan, "", "  ")
	if err != nil {
		return err
	}
	if err := h.Sweep(); err != nil {
		return err
	}
	tmp := h.begun()
	if err := h.Disk.MakeDir(tmp); err != nil {
		return err
	}
	files := c.files()
	plan = append(plan, '\n')
	files["plan.json"] = &plan
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := h.Disk.Replace(filepath.Join(tmp, name), *files[name]); err != nil {
			return err
		}
	}
	if _, err := os.Stat(h.record()); err == nil {
		if err := h.Disk.Exchange(tmp, h.record()); err != nil {
			return err
		}
		return h.Disk.RemoveAll(tmp)
	}
	_, err = h.Disk.Rename(tmp, h.record())
	return err
}

// put puts a file in its place and lets Postfix read it. If the file is there already,
// Postfix reads it all the same: an earlier process may have died before that. If the
// name is a symbolic link, the file it leads to is replaced. The mode stays.
func (h *Host) put(name string, data []byte) error {
	path, err := filepath.EvalSymlinks(filepath.Join(h.Dir, name))
	if err != nil {
		return err
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, data) {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := h.Disk.ReplaceAs(path, info.Mode().Perm(), data); err != nil {
			return err
		}
	}
	return h.Reload()
}
