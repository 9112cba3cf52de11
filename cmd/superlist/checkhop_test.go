package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"superlist/lists/site"
	"superlist/smtp"
)

// TestCheckNextHop shows what check makes of the server to which other mail goes
// on.
func TestCheckNextHop(t *testing.T) {
	const ehlo = "250-x\r\n250 XFORWARD NAME\r\n"
	for name, test := range map[string]struct{ greeting, ehlo, level, text string }{
		"postfix":     {"220 x ESMTP Postfix\r\n", ehlo, "ok", "answers"},
		"no XFORWARD": {"220 x ESMTP Postfix\r\n", "250 x\r\n", "warning", "does not offer XFORWARD"},
		"ourselves":   {"220 x " + smtp.Banner + "\r\n", ehlo, "error", "is superlist itself"},
		"refuses":     {"554 not for you\r\n", "", "error", "not for you"},
		"hangs up":    {"", "", "error", "EOF"},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if test.greeting != "" {
				io.WriteString(conn, test.greeting)
				br := bufio.NewReader(conn)
				br.ReadString('\n')
				io.WriteString(conn, test.ehlo)
				io.Copy(io.Discard, br)
			}
		}()
		k := &checker{ctx: t.Context(), site: &site.Site{Hostname: "h", Proxy: site.Proxy{NextHop: l.Addr().String()}}}
		k.nextHop()
		l.Close()
		if len(k.findings) != 1 || k.findings[0].Level != test.level || !strings.Contains(k.findings[0].Text, test.text) {
			t.Errorf("%s: %+v", name, k.findings)
		}
		k.findings = nil
		if k.nextHop(); len(k.findings) != 1 || k.findings[0].Level != "error" || !strings.Contains(k.findings[0].Text, "refused") {
			t.Errorf("%s, and nobody there: %+v", name, k.findings)
		}
	}
	k := &checker{ctx: t.Context(), site: &site.Site{}}
	if k.nextHop(); len(k.findings) > 0 {
		t.Errorf("no next hop: %+v", k.findings)
	}
}
