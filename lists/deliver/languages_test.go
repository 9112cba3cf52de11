package deliver

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"superlist/lists/edit"
)

// TestFooterLanguages: who has chosen a language gets the footer in it, in the copy for
// all who have and in their own; the archive has none; and each gets the post once.
func TestFooterLanguages(t *testing.T) {
	mail := t.TempDir()
	w := newWorld(t, "maildir:"+mail, "")
	w.site.UnsubscribeURL = "https://lists.example.org/leave"
	l := w.list("dev", "bob@example.net", "carol@gmail.com lang=de", "dora@example.net lang=de-AT", "emil@example.net lang=fr", "fritz@gmail.com", "gina@gmail.com lang=pl")
	want := map[string][2]string{ // on top, below
		"bob@example.net": {"", "Bye."}, "carol@gmail.com": {"", "Tschüss."}, "dora@example.net": {"Servus!", "Tschüss."},
		"emil@example.net": {"Salut!", "Bye."}, "fritz@gmail.com": {"", "Bye."}, "gina@gmail.com": {"", "Do zobaczenia: "},
	}
	texts := []string{"post=anyone", "dmarc=none", "footer=Bye.", `footers=["de: Tschüss.", "pl: Do zobaczenia: {unsubscribe}"]`, `header_texts=["de-AT: Servus!", "fr: Salut!"]`}
	for n, more := range []string{"one_click=off", "one_click=large", "one_click=all", "personal=true"} {
		if err := edit.Set(l, append(texts, more)); err != nil {
			t.Fatal(err)
		}
		w.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nTo: dev@lists.example.org\r\nMessage-ID: <%d@x>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHello.\r\n", n), "dev@lists.example.org")
		w.deliver()
		for who, said := range want {
			got := inMaildirs(t, mail, who)
			if len(got) != 1 {
				t.Fatalf("%s: %s has %d", more, who, len(got))
			}
			_, body, _ := strings.Cut(got[0], "\r\n\r\n")
			lines := strings.TrimPrefix(said[0]+"\r\n", "\r\n") + "Hello.\r\n" + said[1]
			own := strings.HasPrefix(fieldsOf(t, got[0]).Get("List-Unsubscribe"), "<https:")
			if !strings.HasPrefix(body, lines) || own != (n > 1 || n == 1 && strings.HasSuffix(who, "gmail.com")) {
				t.Errorf("%s: %s has %q, want %q", more, who, got[0], lines)
			}
			if strings.Contains(body, "/leave/") != (who == "gina@gmail.com" && more == "personal=true") {
				t.Errorf("%s: %s has %q", more, who, body)
			}
		}
		f, _, err := l.Posts().Open(n + 1)
		if err != nil {
			t.Fatal(err)
		}
		kept, _ := os.ReadFile(f.Name())
		f.Close()
		if !strings.HasSuffix(string(kept), "\r\n\r\nHello.\r\n") {
			t.Errorf("the archive has %q", kept)
		}
		os.RemoveAll(mail)
		w.wantEmpty()
	}
}
