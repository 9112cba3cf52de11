package copies

import (
	"net/mail"
	"regexp"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/rewrite"
	"superlist/lists/rewrite/edit"
)

// stays reports whether a field of a post reveals nothing about its author. It lists
// what may stay, since programs keep inventing new fields.
func stays(name string) bool {
	switch strings.ToLower(name) {
	case "subject", "mime-version", "content-type", "content-transfer-encoding", "content-language", "content-disposition",
		"auto-submitted", "delivered-to", "x-loop", "importance", "priority", "x-priority",
		"x-no-archive", "archive":
		return true
	}
	return false
}

// threads reports whether a field connects the posts of a thread.
func threads(name string) bool {
	switch strings.ToLower(name) {
	case "message-id", "in-reply-to", "references":
		return true
	}
	return false
}

var messageIDs = regexp.MustCompile(`<[^<>\s]+>`)

// maxThread is how many ids of a thread stay: the first, and the last ones.
const maxThread = 20

// anonymous returns the header of a post without its author.
func anonymous(l *lists.List, h rewrite.Header, arrived time.Time) (rewrite.Header, error) {
	ours := "@" + l.Addr.Domain + ">"
	keyed := func(id string) (string, error) {
		if strings.HasPrefix(id, "<anon.") && strings.HasSuffix(id, ours) {
			return id, nil // it has been here before
		}
		word, err := l.Seal("message-id", id)
		return "<anon." + word + ours, err
	}
	name := l.Addr.Local
	if l.Description != "" {
		name = l.Description
	}
	out := rewrite.Header{
		edit.Field("From", rewrite.Phrase(name)+" <"+l.Addr.Address()+">"),
		edit.Field("To", l.Addr.Address()),
	}
	date, err := mail.ParseDate(h.Get("Date"))
	if err != nil {
		date = arrived
	}
	out = append(out, edit.Field("Date", date.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"))) // without the author's time zone
	for _, f := range h {
		switch {
		case stays(f.Name):
			out = append(out, f)
		case threads(f.Name):
			ids := messageIDs.FindAllString(f.Value(), -1)
			if len(ids) > maxThread {
				ids = append(ids[:1:1], ids[len(ids)-maxThread+1:]...)
			}
			if len(ids) == 0 && f.Is("Message-ID") {
				ids = []string{f.Value()}
			}
			for i := range ids {
				if ids[i], err = keyed(ids[i]); err != nil {
					return nil, err
				}
			}
			if len(ids) > 0 {
				out = append(out, edit.Field(f.Name, strings.Join(ids, "\r\n ")))
			}
		}
	}
	return out, nil
}
