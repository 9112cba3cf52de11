package site

import (
	"testing"

	"superlist/smtp"
)

// TestWebAddresses: where the pages of a list are, and what a request is about.
func TestWebAddresses(t *testing.T) {
	dev := smtp.Path{Local: "dev", Domain: "lists.example.org"}
	for url, want := range map[string]string{
		"https://{domain}":                        "https://lists.example.org/dev/",
		"https://{domain}/":                       "https://lists.example.org/dev/",
		"http://{domain}:8080":                    "http://lists.example.org:8080/dev/",
		"https://{domain}/archive":                "https://lists.example.org/archive/dev/",
		"https://archive.{domain}":                "https://archive.lists.example.org/dev/",
		"https://www.example.org/lists/{domain}":  "https://www.example.org/lists/lists.example.org/dev/",
		"https://www.example.org/lists/{domain}/": "https://www.example.org/lists/lists.example.org/dev/",
	} {
		w := Web{URL: url}
		if got := w.Of(dev); got != want {
			t.Errorf("%s: %s, not %s", url, got, want)
		}
		host, path := "lists.example.org", ""
		switch url {
		case "http://{domain}:8080":
			host = "lists.example.org:8080"
		case "https://{domain}/archive":
			path = "/archive"
		case "https://archive.{domain}":
			host = "archive.lists.example.org"
		case "https://www.example.org/lists/{domain}", "https://www.example.org/lists/{domain}/":
			host, path = "www.example.org", "/lists/lists.example.org"
		}
		domain, rest, ok := w.Domain(host, path+"/dev/4/4711.html")
		if !ok || domain != "lists.example.org" || rest != "dev/4/4711.html" {
			t.Errorf("%s: %q, %q, %t", url, domain, rest, ok)
		}
		for _, other := range []string{"", "/", "//dev/", "/lists/", "/lists//dev/1"} {
			if domain, _, ok := w.Domain("", other); ok && domain == "" {
				t.Errorf("%s: a request for %q is about nothing", url, other)
			}
		}
	}
}
