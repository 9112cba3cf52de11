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
	"superlist/lists/request"
	"superlist/lists/web"
	"superlist/smtp"
)

// Limits of what a form brings: ours are small, and mail programs send one field.
const (
	maxBody   = 64 << 10
	maxFields = 1000 // as many held posts as somebody may tick, twice over
)

// Errors of a form.
var (
	errLarge    = errors.New("the form is too large")
	errNoFields = errors.New("the form cannot be read")
)

// readForm reads the fields of a POST, which browsers and mail programs send in two ways.
// It takes none from the URL.
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

// form reads the fields of a POST, or answers that it cannot.
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

// methods answers other methods than a form has, and reports whether this is one of those.
func (a *answer) methods() bool {
	switch a.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		return true
	}
	a.w.Header().Set("Allow", "GET, HEAD, POST")
	http.Error(a.w, "only GET, HEAD and POST are answered here", http.StatusMethodNotAllowed)
	return false
}

// nothing is the answer about what there is not. A token that the list has not made looks
// the same, whatever is wrong with it.
func (a *answer) nothing() {
	http.Error(a.w, "there is nothing here", http.StatusNotFound)
}

// show answers with a form.
func (a *answer) show(status int, f web.Form) {
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.WriteHeader(status)
	if a.r.Method != http.MethodHead {
		a.w.Write(a.web.Form(f))
	}
}

// here is the address of this page for a form, without a query.
func (a *answer) here() string { return a.r.URL.EscapedPath() }

// evenly is how long an answer takes that must not say who is a member: longer than it
// takes to get a request into the spool, which is not always done.
const evenly = 300 * time.Millisecond

// even waits until as much time has passed as for anybody else.
func (a *answer) even() {
	sleep := a.Sleep
	if sleep == nil {
		sleep = time.Sleep
	}
	sleep(evenly - time.Since(a.began))
}

// client is where a request comes from, as far as that is known: behind a proxy on a socket
// the proxy says so, and overwrites what the client has said. One that cannot, as lighttpd,
// takes X-Real-IP away, and puts the client behind what the other field has.
func (a *answer) client() netip.Addr {
	host := a.r.RemoteAddr
	if host == (addr{}).String() {
		host = a.r.Header.Get("X-Real-IP")
		if all := a.r.Header.Values("X-Forwarded-For"); host == "" && len(all) > 0 {
			last := all[len(all)-1]
			host = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		}
	}
	if where, err := netip.ParseAddrPort(host); err == nil {
		return where.Addr().Unmap()
	}
	where, _ := netip.ParseAddr(host)
	return where.Unmap()
}

// request is one of somebody's, from here and now.
func (a *answer) request(author smtp.Path) request.Request {
	q := request.Request{List: a.list, At: a.now}
	q.Author = author
	if from := a.client(); from.IsValid() {
		q.Client = smtp.Peer{Addr: netip.AddrPortFrom(from, 0)}.String() + " proto=HTTP"
		q.Network = a.Site.Network(from)
	}
	return q
}

// A refused is what the list says no to before anything is in the spool.
type refused struct{ error }

func (r refused) Unwrap() error { return r.error }

// may asks the list whether a request can be carried out. If not, the error is a refused.
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

// put has a request durable in the spool. The error is a refused, or trouble.
func (a *answer) put(q request.Request) error {
	if err := a.may(q.Command); err != nil {
		return err
	}
	id, err := q.Leave(a.Site.Spool())
	if err != nil {
		return err
	}
	a.Log.Printf(maillog.Info, "request id=%s list=%s from=%s verb=%s client=%q", id, a.list.Addr, q.Author, q.Verb, q.Client)
	if err := a.Site.Wake(); err != nil {
		a.Log.Printf(maillog.Warning, "trouble kick=%s error=%q: the request waits until a timer starts superlist deliver; see superlist check", a.Site.Kick, err)
	}
	return nil
}

// sign puts a signed request into the spool.
func (a *answer) sign(author smtp.Path, s request.Signed) error {
	s.By = author.Address()
	q, err := a.request(author).Sign(s)
	if err != nil {
		return err
	}
	return a.put(q)
}

// full is the answer where something did not go into the spool. Whoever may not have it,
// or has asked for too much, is told so; else the client comes again.
func (a *answer) full(err error) {
	var no refused
	if !errors.As(err, &no) {
		a.trouble(err)
		return
	}
	r, _ := smtp.Refusal(err)
	a.w.Header().Set("Retry-After", "86400")
	http.Error(a.w, r.Text, http.StatusTooManyRequests)
}

// moment is now, of the handler's clock.
func (h *Handler) moment() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}
