package deliver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"superlist/lists"
	"superlist/lists/copies"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/rewrite"
)

// once keeps a post that names several lists from reaching a person more than once who
// wants it once: by the list that sends it first. That list remembers to whom else's
// member it has sent the post, and the others ask it. What makes a post the same are its
// author, its Message-ID and its body: who gets hold of a Message-ID cannot use it to
// keep a mail from anybody.
//
// A list remembers after the commit of what it sends. A process that dies in between has
// the others send the post, too: somebody gets it twice, and nobody gets it never.
type once struct {
	r       *Runner
	l       *lists.List
	post    string
	others  []other
	had     map[string]bool // who has got it from another list
	sent    []string        // who gets it from this one
	skipped int
}

// An other is another list that the post names.
type other struct {
	*lists.List
	members *members.File
}

// maxOthers is how many other lists of a post are looked at. Who writes to more of them
// is read more than once.
const maxOthers = 20

// perRecord is how many persons a record of the ledger has room for.
const perRecord = 2000

// onceOf is that of a post for one list. For a post that names no other, or that cannot be
// told from others, it does nothing.
func (r *Runner) onceOf(m *message.Message, l *lists.List, made *copies.Copies) (*once, error) {
	o := &once{r: r, l: l, had: make(map[string]bool)}
	id := strings.TrimSpace(made.Came.Get("Message-ID"))
	if id == "" {
		return o, nil
	}
	if err := o.find(made.Came); err != nil || len(o.others) == 0 {
		return o, err
	}
	body, err := m.BodyReader()
	if err != nil {
		return o, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return o, err
	}
	o.post = ledger.Hash(authorOf(made.Came, m.From).Key(), id, hex.EncodeToString(sum.Sum(nil)))
	for _, of := range o.others {
		if err := o.recall(of.List); err != nil {
			return o, err
		}
	}
	return o, nil
}

// find finds the other lists that To and Cc name.
func (o *once) find(h rewrite.Header) error {
	seen := map[string]bool{o.l.Addr.Key(): true}
	for _, name := range []string{"To", "Cc"} {
		for _, f := range h.All(name) {
			paths, _ := rewrite.Addresses(f.Value())
			for _, p := range paths {
				d, err := lists.Of(o.r.Site).Resolve(p)
				if err != nil || d.Purpose != lists.Post || seen[d.List.Addr.Key()] || len(o.others) == maxOthers {
					continue
				}
				seen[d.List.Addr.Key()] = true
				all, err := d.List.Members()
				if err != nil {
					return err
				}
				o.others = append(o.others, other{d.List, all})
			}
		}
	}
	return nil
}

// recall reads to whom another list has sent the post.
func (o *once) recall(l *lists.List) error {
	for k := 0; ; k++ {
		record, ok, err := l.Book().Recall(ledger.Sent, o.name(k), o.r.now())
		if err != nil || !ok {
			return err
		}
		_, persons, _ := strings.Cut(record.Text, "\n")
		for line := range strings.Lines(persons) {
			o.had[strings.TrimSuffix(line, "\n")] = true
		}
	}
}

func (o *once) name(k int) string { return fmt.Sprintf("%s-%d", o.post, k) }

// wants reports whether a member is to get each post once.
func (o *once) wants(m members.Member) bool { return m.Once || o.r.Site.Once }

// skips reports whether a member has the post already.
func (o *once) skips(m members.Member) bool {
	if len(o.had) == 0 || !o.wants(m) || !o.had[ledger.Hash(m.Path.Key())] {
		return false
	}
	o.skipped++
	return true
}

// sends remembers that a member gets the post, where another list would have to know.
func (o *once) sends(m members.Member) error {
	for _, of := range o.others {
		there, ok, err := of.members.Find(m.Path)
		if err != nil {
			return err
		}
		if ok && o.wants(there) {
			o.sent = append(o.sent, ledger.Hash(m.Path.Key()))
			break
		}
	}
	return nil
}

// done puts into the ledger who has got the post, which is in the outbound box. A post
// of which the list has taken something away is not what others send. That it cannot be
// remembered has somebody get the post twice.
func (o *once) done(c string, made *copies.Copies) {
	if o.l.Anonymous || made.Taken > 0 {
		return
	}
	for k := 0; k*perRecord < len(o.sent); k++ {
		some := o.sent[k*perRecord : min(len(o.sent), (k+1)*perRecord)]
		text := c + "\n" + strings.Join(some, "\n") + "\n"
		err := o.r.Site.Ledger(o.r.Spool.Disk).Remember(o.l.Book(), ledger.Sent, o.name(k), o.r.now(), func(ledger.Record, bool) (string, error) { return text, nil })
		if err != nil {
			o.r.Log.Printf(maillog.Err, "trouble list=%s error=%q", o.l.Addr, err)
			return
		}
	}
}

// close lets go of the other lists' files.
func (o *once) close() {
	for _, of := range o.others {
		of.members.Close()
	}
}

// String is for the log: how many have the post from another list.
func (o *once) String() string {
	if o.skipped == 0 {
		return ""
	}
	return fmt.Sprintf(" once=%d", o.skipped)
}
