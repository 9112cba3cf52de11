package outbound

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"superlist/queue/disk"
	"superlist/smtp"
)

// maildirs is a relay that is not a server: one Maildir for each recipient below a
// directory, named like the address. It is for trying out a list and for tests.
type maildirs struct {
	dir, host string
	disk      *disk.Disk
}

// stored counts what this process has put into Maildirs, for the names.
var stored atomic.Int64

// Extension reports no XVERP: each recipient's return path is written here.
func (d *maildirs) Extension(keyword string) (string, bool) { return "", keyword == "XVERP" }

func (d *maildirs) Err() error { return nil }
func (d *maildirs) Quit()      {}

// Stream stores message after message.
func (d *maildirs) Stream(next func() *smtp.Transaction) iter.Seq2[*smtp.Transaction, []smtp.Reply] {
	return func(yield func(*smtp.Transaction, []smtp.Reply) bool) {
		for t := next(); t != nil; t = next() {
			if !yield(t, d.send(t)) {
				return
			}
		}
	}
}

func (d *maildirs) send(t *smtp.Transaction) []smtp.Reply {
	outcome := make([]smtp.Reply, len(t.To))
	message, err := again(t.Message)
	for i, to := range t.To {
		from := t.From
		if t.VERP {
			from = smtp.VERPAddress(from, to.Path)
		}
		err := err
		if err == nil {
			err = d.store(to.Path, from, message, t.Body)
		}
		if outcome[i] = smtp.ReplyTo(err); outcome[i] == smtp.ReplyLocal {
			outcome[i].Text = err.Error() // there is no client to hide it from
		}
	}
	return outcome
}

// again returns a message that can be read for one recipient after the other.
func again(message io.Reader) (io.ReadSeeker, error) {
	if s, ok := message.(io.ReadSeeker); ok { // a file of the spool
		return s, nil
	}
	text, err := io.ReadAll(message)
	return bytes.NewReader(text), err
}

// An lfWriter converts line ends to LF, as in Maildirs.
type lfWriter struct {
	w  *bufio.Writer
	cr bool // the last byte so far is a CR that has not been written
}

func (l *lfWriter) Write(p []byte) (int, error) {
	n := len(p)
	if l.cr {
		p = append([]byte{'\r'}, p...)
	}
	if l.cr = bytes.HasSuffix(p, []byte("\r")); l.cr {
		p = p[:len(p)-1]
	}
	_, err := l.w.Write(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n")))
	return n, err
}

func (l *lfWriter) Flush() error {
	if l.cr {
		l.w.WriteByte('\r')
	}
	return l.w.Flush()
}

// store puts a message into a recipient's Maildir, with LF line ends. A BINARYMIME
// message stays as it is.
func (d *maildirs) store(to, from smtp.Path, message io.ReadSeeker, body string) error {
	name := to.Key()
	if strings.ContainsAny(name, "/\x00") || strings.HasPrefix(name, ".") || len(name) > 255 {
		return smtp.Reply{Code: 553, Enhanced: "5.1.3", Text: "the address cannot be the name of a Maildir"}
	}
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := d.disk.MakeDirs(filepath.Join(d.dir, name, sub)); err != nil {
			return err
		}
	}
	now := time.Now()
	sum := sha256.Sum256([]byte(name))
	file := fmt.Sprintf("%d.M%06dP%dQ%dR%x.%s", now.Unix(), now.Nanosecond()/1000, os.Getpid(), stored.Add(1), sum[:4], d.host)
	tmp := filepath.Join(d.dir, name, "tmp", file)
	f, err := d.disk.Create(tmp)
	if err != nil {
		return err
	}
	err = write(f, from, message, body)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = d.disk.Move(tmp, filepath.Join(d.dir, name, "new", file))
	}
	if err != nil {
		disk.Discard(tmp)
		return err
	}
	if err = d.disk.SyncDir(filepath.Join(d.dir, name, "new")); err != nil {
		disk.Discard(filepath.Join(d.dir, name, "new", file)) // it will come again
	}
	return err
}

func write(f io.Writer, from smtp.Path, message io.ReadSeeker, body string) error {
	if _, err := message.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if body == smtp.BinaryMIME {
		fmt.Fprintf(w, "Return-Path: %s\r\n", from)
		if _, err := io.Copy(w, message); err != nil {
			return err
		}
		return w.Flush()
	}
	fmt.Fprintf(w, "Return-Path: %s\n", from)
	lines := &lfWriter{w: w}
	if _, err := io.Copy(lines, message); err != nil {
		return err
	}
	return lines.Flush()
}
