package serve

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/policy"
	"superlist/lists/quota"
	"superlist/lists/request"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/smtp"
)

// Limits of a form. Ours are small, and mail programs send one field.
const (
	maxBody   = 64 << 10
	maxFields = 1000 // as many held posts as somebody may tick, twice over
)

// momentForm is how pages write a moment.
const momentForm = "2006-01-02 15:04 UTC"

// Errors of a form.
var (
	errLarge    = errors.New("the form is too large")
	errNoFields = errors.New("the form cannot be read")
)

// readForm returns the fields of a POST, in either of the two encodings that browsers
// and mail programs use. It ignores fields in the URL.
func readForm(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, errNoFields
	case len(body) > maxBody:
		return nil, errLarge
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, errNoFields
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		if strings.Count(string(body), "&") >= maxFields {
			return nil, errLarge
		}
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errNoFields
		}
		return values, nil
	case "multipart/form-data":
		return readParts(multipart.NewReader(strings.NewReader(string(body)), params["boundary"]))
	}
	return nil, errNoFields
}

func readParts(parts *multipart.Reader) (url.Values, error) {
	values := make(url.Values)
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return values, nil
		}
		if err != nil {
			return nil, errNoFields
		}
		if n == maxFields {
			return nil, errLarge
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, errNoFields
		}
		if part.FileName() == "" {
			values.Add(part.FormName(), string(text))
		}
	}
}

// form returns the fields of a POST, or answers that they cannot be read.
func (a *answer) form() (url.Values, bool) {
	values, err := readForm(a.r)
	switch err {
	case nil:
		return values, true
	case errLarge:
		a.w.Header().Set("Connection", "close")
		http.Error(a.w, err.Error(), http.StatusRequestEntityTooLarge)
	default:
		http.Error(a.w, err.Error(), http.StatusBadRequest)
	}
	return nil, false
}

// methods reports whether the method is one that a form has; otherwise it answers the
// request.
func (a *answer) methods() bool {
	switch a.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true
	}
	a.w.Header().Set("Allow", "GET, HEAD, POST")
	http.Error(a.w, "only GET, HEAD and POST are answered here", http.StatusMethodNotAllowed)
	return false
}

// nothing answers that the page does not exist.
func (a *answer) nothing() {
	http.Error(a.w, "there is nothing here", http.StatusNotFound)
}

// dead answers to a link that does nothing. One answer stands for a forged one, one of
// another list, one that is too old, and one that has been used.
func (a *answer) dead() {
	f := web.Form{Title: a.text("dead-title"), Say: []string{a.text("dead")}}
	if a.Site.Web.Requests {
		f.Say = append(f.Say, a.text("dead-options", "options", a.web.Base+"options"))
	}
	if a.Site.Web.Requests && a.list.Subscribe != lists.SubscribeClosed {
		f.Say = append(f.Say, a.text("dead-join", "join", a.web.Base+"join"))
	}
	f.Say = append(f.Say, a.text("dead-mail", "unsubscribe", a.list.Verb(lists.VerbUnsubscribe).Address()))
	a.show(http.StatusGone, f)
}

// show answers with a form.
func (a *answer) show(status int, f web.Form) {
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.WriteHeader(status)
	if a.r.Method != http.MethodHead {
		a.w.Write(a.web.Form(f))
	}
}

// here returns the address of this page for a form, without a query.
func (a *answer) here() string { return a.r.URL.EscapedPath() }

// evenly is how long an answer takes that must not reveal who is a member. It is longer
// than writing a request into the spool, which happens for some addresses only.
const evenly = 300 * time.Millisecond

// even waits until the request has taken as long as for anybody else.
func (a *answer) even() {
	sleep := a.Sleep
	if sleep == nil {
		sleep = time.Sleep
	}
	sleep(evenly - time.Since(a.began))
}

// client returns the address that a request comes from, as far as it is known. On a
// socket only a proxy knows it, which names it in the field that the operator trusts: in
// X-Real-IP it overwrites what the client sent, to X-Forwarded-For it appends.
func (a *answer) client() netip.Addr {
	host := a.r.RemoteAddr
	if host == onSocket {
		host = ""
		if all := a.r.Header.Values(a.Site.Web.Client); len(all) == 1 || len(all) > 1 && a.Site.Web.Client == site.ForwardedFor {
			host = all[len(all)-1]
		}
		if a.Site.Web.Client == site.ForwardedFor {
			host = strings.TrimSpace(host[strings.LastIndexByte(host, ',')+1:])
		}
	}
	if where, err := netip.ParseAddrPort(host); err == nil {
		return where.Addr().Unmap()
	}
	where, _ := netip.ParseAddr(host)
	return where.Unmap()
}

// request returns a request by somebody, from this client and now.
func (a *answer) request(author smtp.Path) request.Request {
	q := request.Request{List: a.list, At: a.now}
	q.Author = author
	if from := a.client(); from.IsValid() {
		q.Client = smtp.Peer{Addr: netip.AddrPortFrom(from, 0)}.String() + " proto=HTTP"
		q.Network = a.Site.Network(from)
	}
	return q
}

// A refused is a refusal by the list, before anything is in the spool.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

// may asks the list whether a request can be carried out. If not, the error is a
// refused.
func (a *answer) may(c lists.Command) error {
	p := policy.Of(a.list)
	err := p.Permits(c, a.now)
	if err == nil {
		err = p.PermitsNow(c, a.now)
	}
	if _, no := smtp.Refusal(err); no {
		return refused{err}
	}
	return err
}

// put writes a request durably into the spool. The error is a refused, or a local
// fault.
func (a *answer) put(q request.Request) error {
	if err := a.may(q.Command); err != nil {
		return err
	}
	id, err := q.Leave(a.Site.Spool())
	if err != nil {
		return err
	}
	a.Log.Printf(maillog.Info, "request id=%s list=%s from=%s verb=%s client=%q", id, a.list.Addr, q.Author, q.Verb, q.Client)
	if q.Client == "" {
		a.Log.Printf(maillog.Warning, "trouble web path=%q error=\"nobody says where the request comes from, so limits by network do not hold: see client below [web]\"", a.r.URL.Path)
	}
	if err := a.Site.Wake(); err != nil {
		a.Log.Printf(maillog.Warning, "trouble kick=%s error=%q: the request waits until a timer starts superlist deliver; see superlist check", a.Site.Kick, err)
	}
	return nil
}

// sign writes a signed request into the spool.
func (a *answer) sign(author smtp.Path, s request.Signed) error {
	s.By = author.Address()
	q, err := a.request(author).Sign(s)
	if err != nil {
		return err
	}
	return a.put(q)
}

// full answers if a request did not get into the spool, in words for a person: they may not
// make the request or have made too many, or this host has trouble, which goes to the log.
func (a *answer) full(err error) {
	status, after, text := http.StatusServiceUnavailable, retryTrouble, a.text("later-trouble")
	var no refused
	switch r, _ := smtp.Refusal(err); {
	case errors.Is(err, quota.ReplyAskedNetwork):
		status, after, text = http.StatusTooManyRequests, retryTooMuch, a.text("later-network")
	case errors.As(err, &no):
		status, after, text = http.StatusTooManyRequests, retryTooMuch, r.Text
	default:
		a.Log.Printf(maillog.Err, "trouble web path=%q error=%q", a.r.URL.EscapedPath(), err)
	}
	a.w.Header().Set("Retry-After", after)
	a.show(status, web.Form{Title: a.text("later-title"), Say: []string{text}})
}

// halfDone answers if this host got into trouble after so many requests of one form were in
// the spool.
func (a *answer) halfDone(err error, done int) {
	a.Log.Printf(maillog.Err, "trouble web path=%q error=%q", a.r.URL.EscapedPath(), err)
	a.w.Header().Set("Retry-After", retryTrouble)
	a.show(http.StatusServiceUnavailable, web.Form{Title: a.text("later-title"), Say: []string{a.text("mod-done", "n", done), a.text("later-rest")}})
}

// moment returns the current time of the handler's clock.
func (h *Handler) moment() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}
