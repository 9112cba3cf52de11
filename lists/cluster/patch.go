package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// A patch is one file while it becomes what the database says.
type patch struct {
	a          *applier
	file, path string
	out        *disk.File // nil: nothing is written yet
	tmp        string
	size       int64
	at         time.Time
	version    int64
	gone       bool
}

func (a *applier) begin(i Item) (*patch, error) {
	if !isShared(a.unit, i.File) {
		return nil, fmt.Errorf("%w: %q of %q", errHostile, i.File, a.unit)
	}
	a.files = append(a.files, i.File)
	delete(a.missing, i.File)
	return &patch{a: a, file: i.File, path: a.path(i.File)}, nil
}

func (p *patch) put(i Item) error {
	if i.Version > p.version {
		p.version, p.at = i.Version, i.At
	}
	n, ok := partNumber(i.Part)
	if !ok || len(i.Content) > PartSize {
		return fmt.Errorf("%w: part %q of %d bytes of %s", errHostile, i.Part, len(i.Content), p.path)
	}
	if i.Content == nil && n == 0 {
		p.gone = true
		return nil
	}
	if p.gone {
		if i.Content == nil {
			return nil
		}
		return fmt.Errorf("%w: part %q of %s, which has no first one", errHostile, i.Part, p.path)
	}
	if p.out == nil {
		if err := p.open(n == 0 && len(i.Content) < PartSize && i.Content != nil); err != nil {
			return err
		}
	}
	at := n * PartSize
	if at > p.size {
		if i.Content == nil { // it went with the part before
			return nil
		}
		return fmt.Errorf("%w: part %q of %s, which has %d bytes", errHostile, i.Part, p.path, p.size)
	}
	if len(i.Content) > 0 {
		if _, err := p.out.Extend(i.Content, at); err != nil {
			return err
		}
	}
	if end := at + int64(len(i.Content)); len(i.Content) < PartSize || end > p.size {
		if end < p.size {
			if err := p.out.Truncate(end); err != nil {
				return err
			}
		}
		p.size = end
	}
	return nil
}

// open opens the file that will be in the place of the old one, with what that has unless
// it becomes another one as a whole.
func (p *patch) open(whole bool) (err error) {
	a := p.a
	if a.fresh {
		p.out, err = a.disk.Create(p.path)
		if errors.Is(err, fs.ErrNotExist) {
			if err = a.disk.MakeDirs(filepath.Dir(p.path)); err == nil {
				p.out, err = a.disk.Create(p.path)
			}
		}
		return err
	}
	b, err := a.disk.Beside(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = a.disk.MakePath(filepath.Dir(p.path)); err == nil {
			b, err = a.disk.Beside(p.path)
		}
	}
	if err != nil {
		return err
	}
	p.out, p.tmp = b.File, b.Name()
	if whole || a.whole {
		return nil
	}
	old, _, err := disk.OpenRegular(p.path, unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer old.Close()
	p.size, err = p.out.CopyFrom(old)
	return err
}

// end completes the file beside its place, or removes the file.
func (p *patch) end() error {
	a := p.a
	if p.gone {
		p.abort()
		return a.remove(p.path)
	}
	if p.out == nil { // only parts that it never had are gone
		return nil
	}
	if err := a.disk.Touch(p.out.Name(), p.at); err != nil {
		p.abort()
		return err
	}
	return a.done(written{tmp: p.tmp, path: p.path, file: p.out})
}

func (p *patch) abort() {
	if p.out == nil {
		return
	}
	p.out.Close()
	if p.tmp != "" {
		disk.Discard(p.tmp)
	}
	p.out = nil
}
