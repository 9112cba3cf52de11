package serve

import (
	"net/http/httptest"
	"strings"
	"testing"

	"superlist/lists/maillog"
	"superlist/lists/site"
)

// TestReadForm holds the limits of a form, on each side of them.
func TestReadForm(t *testing.T) {
	const urlencoded = "application/x-www-form-urlencoded"
	part := func(name, value string) string {
		return "--b\r\nContent-Disposition: form-data; " + name + "\r\n\r\n" + value + "\r\n"
	}
	for name, test := range map[string]struct {
		kind, body string
		want       error
		a          string
	}{
		"a field":              {urlencoded, "a=1", nil, "1"},
		"with its charset":     {urlencoded + "; charset=UTF-8", "a=%C3%BC", nil, "ü"},
		"as large as may be":   {urlencoded, "a=1&b=" + strings.Repeat("x", maxBody-6), nil, "1"},
		"larger":               {urlencoded, "a=1&b=" + strings.Repeat("x", maxBody-5), errLarge, ""},
		"as many as may be":    {urlencoded, "a=1" + strings.Repeat("&b=", maxFields-1), nil, "1"},
		"more":                 {urlencoded, "a=1" + strings.Repeat("&b=", maxFields), errLarge, ""},
		"a semicolon":          {urlencoded, "a=1;b=2", errNoFields, ""},
		"in parts":             {"multipart/form-data; boundary=b", part(`name="a"`, "1") + "--b--\r\n", nil, "1"},
		"a file":               {"multipart/form-data; boundary=b", part(`name="a"; filename="/etc/passwd"`, "1") + "--b--\r\n", nil, ""},
		"as many parts":        {"multipart/form-data; boundary=b", part(`name="a"`, "1") + strings.Repeat(part("name=c", ""), maxFields-1) + "--b--\r\n", nil, "1"},
		"more parts":           {"multipart/form-data; boundary=b", strings.Repeat(part("name=c", ""), maxFields+1) + "--b--\r\n", errLarge, ""},
		"parts without an end": {"multipart/form-data; boundary=b", part(`name="a"`, "1"), errNoFields, ""},
		"another kind":         {"text/plain", "a=1", errNoFields, ""},
		"no kind":              {"", "a=1", errNoFields, ""},
	} {
		r := httptest.NewRequest("POST", "/?a=query", strings.NewReader(test.body))
		r.Header.Set("Content-Type", test.kind)
		fields, err := readForm(r)
		if err != test.want || err == nil && fields.Get("a") != test.a {
			t.Errorf("%s: %v %q", name, err, fields.Get("a"))
		}
	}
}

// FuzzReadForm: whatever a client sends, what is read of it is no more than it has sent, and
// none of the URL's.
func FuzzReadForm(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click")
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n")
	f.Add("multipart/form-data; boundary=\"\"", "--\r\n\r\n\r\n----")
	f.Add("a/b; c*=utf-8''%ff", "%")
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequest("POST", "/?secret=query", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		fields, err := readForm(r)
		size, n := 0, 0
		for name, values := range fields {
			for _, value := range values {
				size, n = size+len(name)+len(value), n+1
			}
		}
		if size > len(body) || n > maxFields || err != nil && fields != nil || strings.Contains(fields.Get("secret"), "query") && !strings.Contains(body, "query") {
			t.Errorf("%q %q: %v %v", kind, body, fields, err)
		}
	})
}

// TestClient: behind a proxy the client is who the proxy says, in the field that is trusted,
// and not who the client says.
func TestClient(t *testing.T) {
	for _, c := range []struct {
		remote, trusted, real string
		forwarded             []string
		want                  string
	}{
		{"192.0.2.1:4711", "", "203.0.113.9", []string{"203.0.113.9"}, "192.0.2.1"},
		{"192.0.2.1:4711", site.RealIP, "203.0.113.9", []string{"203.0.113.9"}, "192.0.2.1"},
		{"stdio", "", "203.0.113.9", []string{"203.0.113.9"}, "invalid IP"}, // no proxy sets either
		{"stdio", site.RealIP, "192.0.2.1", []string{"203.0.113.9"}, "192.0.2.1"},
		{"stdio", site.RealIP, "2001:db8::1", nil, "2001:db8::1"},
		{"stdio", site.RealIP, "", []string{"203.0.113.9"}, "invalid IP"},
		{"stdio", site.RealIP, "203.0.113.9, 192.0.2.1", nil, "invalid IP"},
		{"stdio", site.RealIP, "me", []string{"192.0.2.1"}, "invalid IP"},
		{"stdio", site.ForwardedFor, "203.0.113.9", []string{"203.0.113.9", "203.0.113.8, 192.0.2.1"}, "192.0.2.1"},
		{"stdio", site.ForwardedFor, "203.0.113.9", nil, "invalid IP"},
		{"stdio", site.ForwardedFor, "", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"stdio", site.ForwardedFor, "", []string{"203.0.113.9,"}, "invalid IP"},
		{"stdio", site.ForwardedFor, "", nil, "invalid IP"},
	} {
		r := httptest.NewRequest("POST", "/dev/join", nil)
		r.RemoteAddr = c.remote
		if c.real != "" {
			r.Header.Set("X-Real-IP", c.real)
		}
		r.Header["X-Forwarded-For"] = c.forwarded
		s := &site.Site{Web: site.Web{Client: c.trusted}}
		if got := (&answer{Handler: &Handler{Site: s}, r: r}).client().String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	r := httptest.NewRequest("POST", "/dev/join", nil)
	r.RemoteAddr = "stdio"
	r.Header["X-Real-Ip"] = []string{"192.0.2.1", "203.0.113.9"}
	if got := (&answer{Handler: &Handler{Site: &site.Site{Web: site.Web{Client: site.RealIP}}}, r: r}).client(); got.IsValid() {
		t.Errorf("two fields: %s", got)
	}
}

// TestReferrer: browsers that send no Sec-Fetch-Site, as none does to http://, send our forms
// with our Origin, which they do not where a page says that nobody gets a Referer.
func TestReferrer(t *testing.T) {
	s := newSite(t, "")
	for path, want := range map[string]string{"/dev/": "no-referrer", "/dev/join": "same-origin", "/dev/options": "same-origin", "/dev/u/x": "same-origin"} {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "lists.example.org"
		w := httptest.NewRecorder()
		(&Handler{Site: s, Log: new(maillog.Log)}).ServeHTTP(w, r)
		if got := w.Header().Get("Referrer-Policy"); got != want || strings.Contains(w.Body.String(), "<form method=\"post\"") && !strings.Contains(w.Body.String(), `content="same-origin"`) {
			t.Errorf("%s: %s\n%s", path, got, w.Body)
		}
	}
	for origin, want := range map[string]bool{"http://lists.example.org": true, "http://evil.example": false, "null": false, "": true} {
		r := httptest.NewRequest("POST", "/dev/join", nil)
		r.Host = "lists.example.org"
		r.Header.Set("Origin", origin)
		if origin == "" {
			r.Header.Del("Origin")
		}
		if got := (&answer{r: r, w: httptest.NewRecorder()}).ownForm(); got != want {
			t.Errorf("Origin %q: %t", origin, got)
		}
	}
}
