package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"

	"superlist/lists"
	"superlist/smtp"
)

// nextHop says hello to the server to which other mail goes on.
func (k *checker) nextHop() {
	address := k.site.Proxy.NextHop
	if address == "" {
		return // and other mail is refused
	}
	about := "next_hop " + address
	target, _ := lists.KickAddress(address)
	conn, err := net.DialTimeout(target.Network, target.Address, connectTimeout)
	if err != nil {
		k.wrong(about, err.Error(), "have Postfix listen there: see postfix-master.cf.example")
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(connectTimeout))
	br := bufio.NewReader(conn)
	br.Peek(1)
	greeting, _ := br.Peek(br.Buffered())
	client := &smtp.Client{Hostname: k.site.Hostname}
	if err := client.Start(struct {
		io.Reader
		io.Writer
	}{br, conn}); err != nil {
		k.wrong(about, err.Error(), "see the log of the server there")
		return
	}
	defer client.Quit()
	if strings.HasSuffix(strings.TrimSpace(string(greeting)), smtp.Banner) {
		k.wrong(about, "is superlist itself, so other mail goes round in circles", "name the server behind: see postfix-master.cf.example")
		return
	}
	if _, ok := client.Extension("XFORWARD"); !ok {
		k.warn(about, "does not offer XFORWARD, so in its log all mail comes from this host",
			"set smtpd_authorized_xforward_hosts there, see postfix-master.cf.example")
		return
	}
	k.ok(about, "answers")
}
