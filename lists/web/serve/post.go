package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"superlist/lists/archive"
	"superlist/lists/maillog"
	"superlist/lists/web"
)

// post answers about posts with the same Message-ID. id is what the request names.
func (a *answer) post(posts []archive.Entry, id, what string) {
	e := posts[0]
	switch part, isPart := strings.CutPrefix(what, "part/"); {
	case e.Removed && what != "t.mbox.gz" && what != "t.atom": // its thread still exists
		a.note(http.StatusGone, "page-gone")
	case what == "" && len(posts) > 1:
		a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		a.w.WriteHeader(http.StatusMultipleChoices)
		a.w.Write(a.web.Note("page-several", posts))
	case what == "" && e.MessageID != "" && strings.Contains(id, "@") && !strings.HasSuffix(a.r.URL.Path, "/"):
		// public-inbox does so, and b4 takes what is in front of the Message-ID there
		// for the list's address.
		http.Redirect(a.w, a.r, a.web.Base+url.PathEscape(strings.Trim(id, "<>"))+"/", http.StatusFound)
	case what == "":
		http.Redirect(a.w, a.r, a.web.PostURL(e.Number), http.StatusFound)
	case what == "t" || what == "t/" || what == "T" || what == "T/":
		http.Redirect(a.w, a.r, a.web.ThreadURL(e), http.StatusFound)
	case what == "raw" && a.web.MBox != web.MBoxOff:
		a.raw(e)
	case what == "t.mbox.gz" && a.web.MBox != web.MBoxOff:
		a.thread(e)
	case what == "t.atom":
		a.feed(e)
	case isPart && isNumber(part):
		n, _ := number(part)
		a.part(e, n)
	default:
		a.note(http.StatusNotFound, "page-missing")
	}
}

// raw answers with a post as web_mbox allows it.
func (a *answer) raw(e archive.Entry) {
	text, err := a.web.Message(e)
	if err != nil {
		a.failed(err)
		return
	}
	a.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	a.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	a.w.Write(text)
}

// failed answers if a post's file cannot be read. A file that does not exist is a
// missing post.
func (a *answer) failed(err error) {
	if errors.Is(err, fs.ErrNotExist) {
		a.note(http.StatusNotFound, "page-missing")
		return
	}
	a.trouble(err)
}

// thread answers with the thread of a post as an mbox, one post at a time.
func (a *answer) thread(e archive.Entry) {
	members, err := a.web.ThreadMBox(e)
	if err != nil {
		a.failed(err)
		return
	}
	a.mbox(strconv.Itoa(e.Thread), members)
}

// mbox answers with posts for mail programs and b4.
func (a *answer) mbox(name string, members iter.Seq2[[]byte, error]) {
	a.w.Header().Set("Content-Type", "application/gzip")
	a.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.mbox.gz"`, name))
	if a.r.Method == http.MethodHead {
		return
	}
	for text, err := range members {
		if err != nil { // in the middle of an answer nothing else can be said
			a.Log.Printf(maillog.Err, "trouble web path=%q error=%q", a.r.URL.EscapedPath(), err)
			panic(http.ErrAbortHandler)
		}
		if _, err := a.w.Write(text); err != nil {
			return
		}
	}
}

func (a *answer) feed(e archive.Entry) {
	text, err := a.web.ThreadFeed(e)
	if err != nil {
		a.failed(err)
		return
	}
	a.w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	a.w.Write(text)
}

// part answers with an attachment. It is to be saved, and browsers do not display it:
// its name is ours, and its claimed type counts only if that is harmless.
func (a *answer) part(e archive.Entry, n int) {
	content, name, err := a.web.Attachment(e, n)
	if err != nil {
		a.failed(err)
		return
	}
	head := a.w.Header()
	head.Set("Content-Security-Policy", web.ContentPolicy+"; sandbox")
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
	head.Set("Content-Length", strconv.Itoa(len(content)))
	a.w.Write(content)
}
