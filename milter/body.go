package milter

import (
	"bytes"
	"io"
	"os"
)

// A body is kept in memory, or in a file without a name.
type body struct {
	mem  []byte
	file *os.File
}

func (b *body) write(dir string, p []byte) error {
	if b.file == nil && len(b.mem)+len(p) <= keepInMemory {
		b.mem = append(b.mem, p...)
		return nil
	}
	if b.file == nil {
		f, err := os.CreateTemp(dir, "milter-*")
		if err != nil {
			return err
		}
		b.file = f
		if err := os.Remove(f.Name()); err != nil {
			return err
		}
		if _, err := f.Write(b.mem); err != nil {
			return err
		}
		b.mem = nil
	}
	_, err := b.file.Write(p)
	return err
}

func (b *body) rewind() error {
	if b.file == nil {
		return nil
	}
	_, err := b.file.Seek(0, io.SeekStart)
	return err
}

func (b *body) reader() io.ReadSeeker {
	if b.file == nil {
		return bytes.NewReader(b.mem)
	}
	return b.file
}

func (b *body) close() {
	if b.file != nil {
		b.file.Close()
	}
	b.file, b.mem = nil, b.mem[:0]
}
