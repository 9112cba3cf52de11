package disk

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Files that can be made again from others are not synced one by one: their owner syncs
// all of them at once, or makes them again after a crash of the host. Files that
// everybody may read, such as those for a web server, have mode 0644, in directories of
// mode 0755.
const (
	publicFile fs.FileMode = 0o644
	publicDir  fs.FileMode = 0o755
)

// MakePublicDirs makes a directory that everybody may read, and all its missing
// parents.
func (d *Disk) MakePublicDirs(dir string) error {
	if _, err := os.Lstat(dir); err == nil {
		return nil
	}
	if err := d.fault("mkdir", dir); err != nil {
		return err
	}
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		missing = append(missing, at)
	}
	if err := os.MkdirAll(dir, publicDir); err != nil {
		return err
	}
	for _, made := range missing { // whatever umask says
		if err := os.Chmod(made, publicDir); err != nil {
			return err
		}
	}
	return nil
}

// Publish replaces, or creates, a file that everybody may read: a reader finds the old
// or the new one. The caller holds a lock, as for Beside.
func (d *Disk) Publish(path string, content []byte) error {
	_, err := d.PublishFrom(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	return err
}

// PublishFrom is Publish for content that is written piece by piece. It returns the
// length.
func (d *Disk) PublishFrom(path string, write func(io.Writer) error) (n int64, err error) {
	return d.derive(path, publicFile, write)
}

// Derive is Publish for a file that nobody else reads.
func (d *Disk) Derive(path string, content []byte) error {
	_, err := d.derive(path, 0, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	return err
}

func (d *Disk) derive(path string, mode fs.FileMode, write func(io.Writer) error) (n int64, err error) {
	b, err := d.Beside(path)
	if err != nil {
		return 0, err
	}
	w := &counter{w: b}
	if err = write(w); err == nil && mode != 0 {
		if err = d.fault("fchmod", path); err == nil {
			err = b.File.File.Chmod(mode)
		}
	}
	if err != nil {
		b.Abort()
		return 0, err
	}
	if err = b.File.Close(); err == nil {
		err = d.Move(b.Name(), path)
	}
	if err != nil {
		Discard(b.Name())
	}
	return w.n, err
}

// A counter counts the bytes written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
