package deliver

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

	"superlist/lists"
	"superlist/smtp"
)

// maildirs is a relay that is no server: one Maildir for each recipient below
// a directory, named like the address. It is for trying a list out and for
// tests.
type maildirs struct {
	dir, host string
}

// stored counts what this process has put into Maildirs, for the names.
var stored atomic.Int64

// Extension: a return path for each recipient is written here.
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
	message, unread := io.ReadAll(t.Message)
	for i, to := range t.To {
		from := t.From
		if t.VERP {
			from = lists.MemberBounceAddress(from, to.Path)
		}
		err := unread
		if err == nil {
			err = d.store(to.Path, from, message, t.Body)
		}
		if outcome[i] = smtp.ReplyTo(err); outcome[i] == smtp.ReplyLocal {
			outcome[i].Text = err.Error() // there is no client to hide it from
		}
	}
	return outcome
}

// store puts a message into a recipient's Maildir, with the lines ended as
// Maildirs have them. What need not have lines stays as it is.
func (d *maildirs) store(to, from smtp.Path, message []byte, body string) error {
	name := to.Key()
	if strings.ContainsAny(name, "/\x00") || strings.HasPrefix(name, ".") || len(name) > 255 {
		return smtp.Reply{Code: 553, Enhanced: "5.1.3", Text: "the address cannot be the name of a Maildir"}
	}
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name, sub), 0o700); err != nil {
			return err
		}
	}
	now := time.Now()
	sum := sha256.Sum256([]byte(name))
	file := fmt.Sprintf("%d.M%06dP%dQ%dR%x.%s", now.Unix(), now.Nanosecond()/1000, os.Getpid(), stored.Add(1), sum[:4], d.host)
	tmp := filepath.Join(d.dir, name, "tmp", file)
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if body == smtp.BinaryMIME {
		fmt.Fprintf(w, "Return-Path: %s\r\n", from)
		w.Write(message)
	} else {
		fmt.Fprintf(w, "Return-Path: %s\n", from)
		w.Write(bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n")))
	}
	err = w.Flush()
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(d.dir, name, "new", file))
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}
