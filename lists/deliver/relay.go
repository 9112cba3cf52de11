package deliver

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"superlist/lists/outbound"
	"superlist/lists/site"
	"superlist/lists/tlsserver"
	"superlist/smtp/tlsclient"
)

// Relay returns where a site's mail goes: its table [relay], and the contents of the
// files that it names.
func Relay(site *site.Site) (outbound.Relay, error) {
	r := &site.Relay
	target, err := r.Target()
	if err != nil {
		return outbound.Relay{}, err
	}
	level, _ := tlsclient.ParseLevel(r.TLS)
	relay := outbound.Relay{
		Hostname: site.Hostname, Name: r.Address, Network: target.Network, Address: target.Address, LMTP: target.LMTP,
		Source: r.Source, Resolver: r.Resolver, TLS: level, User: r.User,
		VERP: r.Verp, Batch: r.Batch, Connections: r.Connections, Disk: site.Disk,
		Timeouts: outbound.Timeouts{
			Connect: time.Duration(r.ConnectTimeout), Greeting: time.Duration(r.GreetingTimeout), Command: time.Duration(r.CommandTimeout),
			Mail: time.Duration(r.MailTimeout), Rcpt: time.Duration(r.RcptTimeout),
			Data: time.Duration(r.DataTimeout), Block: time.Duration(r.BlockTimeout), Final: time.Duration(r.FinalTimeout),
		},
	}
	if r.CAFile != "" {
		if relay.Roots, err = tlsserver.Pool(r.CAFile); err != nil {
			return relay, fmt.Errorf("relay.ca_file: %w", err)
		}
	}
	if r.PasswordFile != "" {
		if relay.Password, err = firstLine(r.PasswordFile); err != nil {
			return relay, fmt.Errorf("relay.password_file: %w", err)
		}
	}
	return relay, nil
}

// maxPassword is the longest first line of a password file.
const maxPassword = 1024

func firstLine(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, maxPassword)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", fmt.Errorf("%s: the first line is empty", file)
	}
	return line, nil
}
