package main

import (
	"errors"
	"net"
	"strings"

	"superlist/lists/site"
	"superlist/smtp"
)

// nextHop says hello to the server that other mail goes on to.
func (k *checker) nextHop() {
	address := k.site.Proxy.NextHop
	if address == "" {
		return // other mail is refused
	}
	about := "next_hop " + address
	target, _ := site.ParseTarget(address)
	err := k.ask(target.Network, target.Address, connectTimeout, func(greeting string, client *smtp.Client) error {
		if strings.HasSuffix(greeting, smtp.Banner) {
			k.wrong(about, "is superlist itself, so other mail would loop", "name the server behind: see postfix-master.cf.example")
		} else if _, ok := client.Extension("XFORWARD"); !ok {
			k.warn(about, "does not offer XFORWARD, so in its log all mail comes from this host",
				"set smtpd_authorized_xforward_hosts there, see postfix-master.cf.example")
		} else {
			k.ok(about, "answers")
		}
		return nil
	})
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		k.wrong(about, err.Error(), "have Postfix listen there: see postfix-master.cf.example")
	case err != nil:
		k.wrong(about, err.Error(), "see the log of the server there")
	}
}
