package account

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"superlist/queue/disk"
	"superlist/smtp"
	"superlist/smtp/sasl"
)

// An Owner is who a file should belong to; nil leaves it to its creator.
type Owner struct{ UID, GID int }

// Edit changes a passwd file under the lock of its directory. The new file is readable
// only by its owner and replaces the old one by a rename, so a session sees one or the
// other. Comments stay. A missing file counts as empty.
func Edit(d *disk.Disk, path string, owner *Owner, change func(*Editor) error) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	unlock, err := d.Lock(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unlock(&err)
	e := &Editor{path: path}
	text, _, err := readText(path) // whoever may read it now
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(text) {
		e.lines = append(e.lines, strings.TrimRight(line, "\r\n"))
	}
	if e.file, err = parseFile(path, text); err != nil {
		return err
	}
	if err := change(e); err != nil {
		return err
	}
	return e.write(d, owner)
}

// An Editor is a passwd-file while it is changed.
type Editor struct {
	path  string
	file  *File
	lines []string
}

// Schemes returns the schemes for a new account by default: those of the first account,
// so that all can use the same mechanisms, or Argon2id.
func (e *Editor) Schemes() []string {
	if len(e.file.Accounts) == 0 {
		return []string{Argon2id}
	}
	return e.file.Accounts[0].Schemes()
}

// Find looks an account up.
func (e *Editor) Find(name string) (Account, bool) { return e.file.find(name) }

// Set sets an account's password, in each of the schemes, and the addresses it may post
// as. It creates a missing account.
func (e *Editor) Set(name, password string, schemes []string, addresses []smtp.Path) error {
	name, err := CheckName(name)
	if err != nil {
		return err
	}
	if there, ok := e.file.find(name); ok {
		name = there.Name
	}
	if password, err = sasl.Prepare(password); err != nil {
		return fmt.Errorf("that cannot be a password: %w", err)
	}
	a := Account{Name: name, Addresses: addresses}
	for _, scheme := range schemes {
		v, err := newVerifier(scheme, password)
		if err != nil {
			return err
		}
		a.verifiers = append(a.verifiers, v)
	}
	at := e.remove(name)
	if at < 0 {
		at = len(e.lines)
	}
	e.lines = slices.Insert(e.lines, at, a.lines()...)
	e.file, err = parseFile(e.path, strings.Join(e.lines, "\n"))
	return err
}

// Delete removes an account, and reports whether it existed.
func (e *Editor) Delete(name string) bool { return e.remove(name) >= 0 }

// remove removes all lines of an account. It returns the index of the first, or -1 if
// there is none.
func (e *Editor) remove(name string) int {
	first := -1
	var left []string
	for i, line := range e.lines {
		trimmed := strings.TrimSpace(line)
		its, _, _ := strings.Cut(trimmed, ":")
		if prepared, err := CheckName(its); err != nil || trimmed[0] == '#' || fold(prepared) != fold(name) {
			left = append(left, line)
		} else if first < 0 {
			first = i
		}
	}
	e.lines = left
	return first
}

// lines returns the account as lines of the file.
func (a Account) lines() (lines []string) {
	for i, v := range a.verifiers {
		line := a.Name + ":" + v.String()
		if i == 0 && len(a.Addresses) > 0 {
			var words []string
			for _, p := range a.Addresses {
				words = append(words, p.Address())
			}
			line += ":" + strings.Join(words, ",")
		}
		lines = append(lines, line)
	}
	return lines
}

// write replaces the file.
func (e *Editor) write(d *disk.Disk, owner *Owner) error {
	text := strings.Join(e.lines, "\n")
	if text != "" {
		text += "\n"
	}
	if len(text) > maxFile {
		return tooLarge(e.path)
	}
	b, err := d.Beside(e.path) // we hold the lock
	if err != nil {
		return err
	}
	if owner != nil {
		err = b.Chown(owner.UID, owner.GID)
	}
	if err == nil {
		_, err = b.WriteString(text)
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}
