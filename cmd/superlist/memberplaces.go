package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/account"
	"superlist/lists/acts"
	"superlist/lists/bounces"
	"superlist/lists/ledger"
	"superlist/lists/mail/charset"
	"superlist/lists/people"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// names reports whether a text has an address, and not only a longer one that begins or
// ends like it.
func names(text string, who smtp.Path) bool {
	text = strings.ToLower(text)
	for _, address := range []string{who.Key(), strings.ToLower(who.Address())} {
		for rest, last := text, ""; ; last = address {
			before, after, found := strings.Cut(rest, address)
			if !found {
				break
			}
			if last += before; !inAddress(last[max(0, len(last)-1):]) && !inAddress(strings.TrimPrefix(after, ".")) {
				return true
			}
			rest = after
		}
	}
	return false
}

// inAddress reports whether a text begins with what may stand in an address.
func inAddress(text string) bool {
	for _, c := range text {
		return unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("._+-@", c)
	}
	return false
}

// otherAddresses returns the addresses of a member that are on the list as such.
func otherAddresses(l *lists.List, who smtp.Path) (parts []people.Part, err error) {
	all, err := l.Members()
	if err != nil {
		return nil, err
	}
	defer all.Close()
	for m, err := range all.All() {
		if err != nil {
			return parts, err
		}
		if whose, ok := smtp.ParseAddress(m.For); ok && whose.Key() == who.Key() {
			parts = append(parts, people.Part{List: l.Addr.Address(), As: people.AsOther, Address: m.Path.Address(), Words: m.Words})
		}
	}
	return parts, nil
}

// cameBack returns what is known of mail to somebody that came back, and of mail to
// others that is forwarded to them.
func cameBack(l *lists.List, who smtp.Path) (own *bounces.View, forwarded []bounces.View, err error) {
	forwarded = []bounces.View{}
	all, err := bounces.All(l, time.Now())
	for i := range all {
		r := &all[i]
		v := bounces.ViewOf(l, r, time.Now())
		if p, ok := smtp.ParseAddress(r.Address); ok && p.Key() == who.Key() {
			own = &v
		} else if p, ok := smtp.ParseAddress(r.Final); ok && p.Key() == who.Key() {
			forwarded = append(forwarded, v)
		}
	}
	return own, forwarded, err
}

// reportsAbout returns the kept reports about somebody.
func reportsAbout(l *lists.List, who smtp.Path) ([]writtenPost, error) {
	reports := []writtenPost{}
	err := bounces.Reports(l, who, func(name string, at time.Time, text string) error {
		report := writtenPost{Name: name, At: at}
		err := report.read(strings.NewReader(text))
		reports = append(reports, report)
		return err
	})
	return reports, err
}

// A decidedAbout is a decision that the list remembers for some days.
type decidedAbout struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

func decidedOn(l *lists.List, who smtp.Path) ([]decidedAbout, error) {
	decided := []decidedAbout{}
	all, err := l.Book().All(ledger.Decided, time.Now())
	for _, r := range all {
		if names(r.Text, who) {
			decided = append(decided, decidedAbout{r.At, r.Text})
		}
	}
	return decided, err
}

// A namedLine is a line of a file that names somebody.
type namedLine struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// maxNamed is larger than any file that people write.
const maxNamed = 4 << 20

func linesNaming(who smtp.Path, dir string, files ...string) ([]namedLine, error) {
	lines := []namedLine{}
	for _, file := range files {
		text, _, err := disk.ReadRegular(filepath.Join(dir, file), unix.O_RDONLY, maxNamed)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return lines, err
		}
		n := 0
		for line := range strings.Lines(string(text)) {
			if n++; names(line, who) {
				lines = append(lines, namedLine{file, n, strings.TrimRight(line, "\r\n")})
			}
		}
	}
	return lines, nil
}

// A queuedMail is mail in the spool that somebody wrote or is to get. Its text is there
// if they wrote it, or if they alone get it.
type queuedMail struct {
	ID  string    `json:"id"`
	Box queue.Box `json:"box"`
	As  string    `json:"as"` // author or recipient
	writtenPost
}

// isBy reports whether somebody wrote a message: by its sender or its From.
func isBy(m *queue.Message, who smtp.Path) bool {
	if m.From.Key() == who.Key() {
		return true
	}
	raw, _, err := rewrite.ReadHeader(m.Content())
	authors, _ := rewrite.Addresses(rewrite.Parse(raw).Get("From"))
	return err == nil && smtp.ContainsPath(authors, who)
}

func queuedFor(s *queue.Spool, who smtp.Path) ([]queuedMail, error) {
	all := []queuedMail{}
	for e, err := range inBoxes(s) {
		if err != nil {
			return all, err
		}
		m, err := s.Open(e.box, e.ID)
		if err != nil {
			continue // sent meanwhile, or damaged: queue ls says so
		}
		mail, theirs, err := queuedOf(m, who)
		if m.Close(); err != nil {
			return all, err
		}
		if theirs {
			all = append(all, mail)
		}
	}
	return all, nil
}

func queuedOf(m *queue.Message, who smtp.Path) (mail queuedMail, theirs bool, err error) {
	mail = queuedMail{ID: m.ID, Box: m.Box}
	mail.At = m.Arrived
	if isBy(m, who) {
		mail.As = "author"
		return mail, true, mail.read(m.Content())
	}
	n := 0
	for r, err := range m.Recipients() {
		if err != nil {
			return mail, false, nil // damaged: superlist check says so
		}
		theirs = theirs || r.Path.Key() == who.Key()
		n++
	}
	if !theirs {
		return mail, false, nil
	}
	mail.As = "recipient"
	if n == 1 {
		return mail, true, mail.read(m.Content())
	}
	if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
		mail.Subject = charset.Words(rewrite.Parse(raw).Get("Subject"))
	}
	return mail, true, nil
}

func (d siteData) any() bool {
	return len(d.Accounts)+len(d.Queue)+len(d.Files)+len(d.Acts) > 0
}

func siteDataOf(s *site.Site, who smtp.Path) (d siteData, err error) {
	d = siteData{Accounts: []accountRow{}, Acts: []acts.Act{}}
	if d.Queue, err = queuedFor(s.Spool(), who); err != nil {
		return d, err
	}
	if s.Auth.PasswdFile != "" {
		f, err := account.Read(s.Auth.PasswdFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return d, err
		}
		if err == nil {
			for _, a := range f.Accounts {
				if smtp.ContainsPath(a.Authors(), who) {
					d.Accounts = append(d.Accounts, accountRowOf(a))
				}
			}
		}
	}
	if d.Files, err = linesNaming(who, filepath.Dir(s.File()), filepath.Base(s.File())); err != nil {
		return d, err
	}
	defaults, err := linesNaming(who, s.ListsDir, "defaults.toml")
	if err != nil {
		return d, err
	}
	d.Files = append(d.Files, defaults...)
	d.Acts, err = actsOf(ledger.OfSite(s.ListsDir), who)
	return d, err
}
