package smtp

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Refusals on behalf of a server, before it is asked.
var (
	replyUnsayable    = Reply{553, "5.6.7", "the address cannot be written in SMTP"}
	replyNoSMTPUTF8   = Reply{553, "5.6.7", "the message needs SMTPUTF8, and the next server does not support it"}
	replyNoRequireTLS = Reply{550, "5.7.30", "the message requires TLS all the way, and the next server does not promise it"}
	replyNoBinary     = Reply{554, "5.6.1", "the message is BINARYMIME, and the next server does not support it; convert it to base64 and send it again"}
	replyBareLines    = Reply{554, "5.6.0", "a line of the message does not end with CRLF, so it cannot be sent"}
)

// unfit returns the reason why the server cannot take this message at all; Code 0 if it
// can.
func (c *Client) unfit(t *Transaction) Reply {
	if limit, ok := c.sizeLimit(); ok && t.Size > limit {
		return Reply{552, "5.3.4", fmt.Sprintf("the message has %d bytes, and the server accepts %d", t.Size, limit)}
	}
	if _, ok := c.Extension("SMTPUTF8"); t.UTF8 && !ok {
		return replyNoSMTPUTF8 // RFC 6531, 3.2
	}
	if _, ok := c.Extension("REQUIRETLS"); t.RequireTLS && !(ok && c.channel != nil && c.channel.Verified) {
		return replyNoRequireTLS // RFC 8689, 4.2.1
	}
	if t.Body == BinaryMIME && !c.takesBinary() {
		return replyNoBinary // RFC 3030, 3
	}
	return Reply{}
}

// takesBinary reports whether the server accepts messages that have no lines: RFC 3030,
// 3.
func (c *Client) takesBinary() bool {
	_, binary := c.Extension(BinaryMIME)
	_, chunks := c.Extension("CHUNKING")
	return binary && chunks
}

// sendable reports whether a path can stand in a command line of this transaction.
func (t *Transaction) sendable(p Path) bool {
	s := p.String()
	if !t.UTF8 {
		return IsClean(s)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// compose builds the lines, beginning with RSET if it is due, and reads the message if
// it goes by BDAT (RFC 3030). An error is one of the message's.
func (x *exchange) compose(pipelined, rset bool) error {
	last := []line{{step: atDATA, text: "DATA"}}
	if x.binary() {
		last = nil // the chunks follow once the recipients are known: see sendChunks
	}
	if _, ok := x.c.Extension("CHUNKING"); ok && pipelined && !x.binary() && !x.c.LMTP && x.t.Size <= maxChunk {
		// Not in LMTP: there nobody can tell how many replies follow a chunk if no
		// recipient is left.
		if err := x.readChunk(); err != nil {
			return err
		}
		if x.chunk != nil {
			last[0] = line{step: atBDAT, text: fmt.Sprintf("BDAT %d LAST", len(x.chunk))}
		}
	}
	if rset {
		x.lines = append(x.lines, line{step: atRSET, text: "RSET"})
	}
	x.lines = append(x.lines, line{step: atMAIL, text: x.mail()})
	x.c.mails++
	for i, to := range x.t.To {
		if x.outcome[i].Code == 0 {
			x.lines = append(x.lines, line{step: atRCPT, text: x.rcpt(to), to: i})
		}
	}
	x.lines = append(x.lines, last...)
	return nil
}

// binary reports whether the message has no lines, so that it can only go by BDAT.
func (x *exchange) binary() bool { return x.t.Body == BinaryMIME }

// readChunk reads the whole message, if it is small enough.
func (x *exchange) readChunk() error {
	whole := bytes.NewBuffer(make([]byte, 0, min(max(x.t.Size, 0), maxChunk)+bytes.MinRead))
	_, err := io.Copy(whole, io.LimitReader(x.message, maxChunk+1))
	if err == nil && whole.Len() > maxChunk {
		x.message = io.MultiReader(whole, x.message)
		return nil
	}
	if err == nil && bareLine(whole.Bytes()) {
		err = errBareLine
	}
	x.chunk = whole.Bytes()
	return err
}

// mail is the MAIL command.
func (x *exchange) mail() string {
	c, t := x.c, x.t
	mail := "MAIL FROM:" + t.From.String()
	add := func(keyword, param string, wanted bool) {
		if _, ok := c.Extension(keyword); ok && wanted {
			mail += " " + param
		}
	}
	add("SIZE", "SIZE="+strconv.FormatInt(t.Size, 10), t.Size > 0)
	add("8BITMIME", "BODY="+t.Body, t.Body == "7BIT" || t.Body == "8BITMIME")
	add(BinaryMIME, "BODY="+BinaryMIME, t.Body == BinaryMIME)
	add("SMTPUTF8", "SMTPUTF8", t.UTF8)
	add("REQUIRETLS", "REQUIRETLS", t.RequireTLS)
	add("DSN", "RET="+t.Ret, t.Ret == "FULL" || t.Ret == "HDRS")
	_, named := EnvelopeID(t.EnvID)
	add("DSN", "ENVID="+t.EnvID, named)
	if t.VERP {
		mail += " XVERP=" + Verp
	}
	return mail
}

// rcpt is the RCPT command of a recipient.
func (x *exchange) rcpt(to Rcpt) string {
	if _, ok := x.c.Extension("DSN"); !ok {
		to.Notify, to.ORcpt = 0, ""
	}
	if _, _, ok := OriginalRecipient(to.ORcpt); !ok {
		to.ORcpt = ""
	}
	return "RCPT TO:" + to.Line()
}
