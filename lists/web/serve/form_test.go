package serve

import (
	"net/http/httptest"
	"strings"
	"testing"
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
