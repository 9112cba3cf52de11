package smtp

import (
	"fmt"
	"strconv"
	"strings"
)

// hello handles HELO, EHLO and LHLO: RFC 5321, 4.1.1.1; RFC 2033, 4.1. It clears the
// envelope. Its reply has no enhanced code (RFC 2034, 3).
func (s *Session) hello(arg, proto string) {
	name, ok := HeloName(arg)
	if !ok {
		s.refuse(Reply{501, "5.5.4", fmt.Sprintf("say your host name, of at most %d bytes", MaxDomain)})
		return
	}
	if !s.knows(name) {
		return
	}
	s.reset()
	s.helo, s.proto = name, proto
	if proto == SMTP {
		s.reply(Reply{250, "", s.Hostname})
		return
	}
	keywords := s.extensions()
	if s.Announce != nil {
		keywords = s.Announce(keywords)
	}
	var text strings.Builder
	text.Grow(1 << 9) // of the size that Received asks for, which shares its page
	text.WriteString(s.Hostname)
	for _, k := range keywords {
		text.WriteByte('\n')
		text.WriteString(k)
	}
	s.reply(Reply{250, "", text.String()})
}

// knows checks the HELO name if the configuration asks for that. If it returns false,
// the client was refused or the session handed over.
func (s *Session) knows(name string) bool {
	if !s.HeloCheck || !s.stranger() {
		return true
	}
	var err error
	if s.CheckHelo == nil {
		if err = s.handOver(); err == nil {
			return false
		}
	} else if err = s.CheckHelo(name); err == nil {
		return true
	}
	s.refuseErr(err, Event{What: "refused", Text: s.lastVerb()})
	return false
}

// extensions returns what EHLO announces.
func (s *Session) extensions() []string {
	words := []string{
		"PIPELINING",
		"SIZE " + strconv.FormatInt(s.MaxMessageSize, 10),
		"8BITMIME",
		"CHUNKING",
		"SMTPUTF8",
	}
	if s.BinaryMIME {
		words = append(words, BinaryMIME)
	}
	if s.TLSOnward && s.TLS.On() { // RFC 8689, 4.1
		words = append(words, "REQUIRETLS")
	}
	if s.DSN {
		words = append(words, "DSN")
	}
	words = append(words,
		"LIMITS RCPTMAX="+strconv.Itoa(s.maxRecipients()), // RFC 9422
		"ENHANCEDSTATUSCODES",
	)
	if s.offersTLS() {
		words = append(words, "STARTTLS")
	}
	if offered, err := s.mechanisms(); err != nil {
		s.log(Event{What: "refused", Text: "AUTH", Reply: ReplyTo(err), Err: err}) // not offered for now
	} else if len(offered) > 0 {
		words = append(words, "AUTH "+strings.Join(offered, " "))
	}
	if s.offersXClient() {
		words = append(words, xclientKeyword)
	}
	if s.offersXForward() {
		words = append(words, xforwardKeyword)
	}
	return words
}
