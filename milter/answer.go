package milter

import (
	"errors"
	"fmt"
	"strings"

	"superlist/smtp"
)

// answer runs a command's callback and answers the MTA, once, and only if the MTA waits
// for it. An answer that was promised not to come would be taken for the answer to the
// next command.
func (s *Session) answer(cmd Command, run func() error) error {
	promised := s.filter.Protocol & cmd.row().noReply
	silent := s.options.Protocol&promised != 0
	if s.skip && cmd == CmdBody && !s.filter.KeepBody {
		run = func() error { return nil } // without CanSkip it still comes
	}
	var err error
	if silent {
		err = s.guard(run)
	} else {
		err = s.work(cmd, run)
	}
	if errors.Is(err, ErrPanic) {
		if !silent {
			s.wire.write(byte(Tempfail))
		}
		return err
	}
	code, text := s.verdict(cmd, err)
	if promised != 0 {
		if code != byte(Continue) {
			s.log("at %s the filter promised to let everything pass, and said: %v", cmd, err)
		}
		if silent {
			return nil
		}
		code, text = byte(Continue), nil
	}
	if cmd == CmdEOM && (code == byte(Continue) || code == byte(Accept)) {
		if err := s.sendChanges(); err != nil {
			s.log("at %s: %v", cmd, err)
			code, text = byte(Tempfail), nil
		}
	}
	s.wire.write(code, text)
	if over(cmd, code) && s.state.inMessage() && cmd != CmdEOM {
		s.state = stHelo
		s.forget()
	}
	return nil
}

// over reports whether an answer ends the message.
func over(cmd Command, code byte) bool {
	switch code {
	case byte(Continue), byte(Skip):
		return false
	case byte(Accept), byte(Discard):
		return true
	}
	return cmd != CmdRcpt && cmd != CmdUnknown // there it is about that recipient or command alone
}

// verdict encodes a callback's error.
func (s *Session) verdict(cmd Command, err error) (code byte, data []byte) {
	var v Verdict
	switch {
	case err == nil:
		return byte(Continue), nil
	case !errors.As(err, &v):
		r := smtp.ReplyTo(err)
		var own smtp.Reply
		if !errors.As(err, &own) {
			s.log("at %s: %v", cmd, err)
		}
		return replyCode, encodeReply(r)
	}
	switch {
	case v == Skip && cmd == CmdBody:
		if s.options.Protocol&CanSkip == 0 {
			s.skip = true
			return byte(Continue), nil
		}
		return byte(Skip), nil
	case v == Discard && (cmd == CmdConnect || cmd == CmdHelo), v == Skip:
		// Outside the body, sendmail would leave the filter out of the rest of the
		// message; and before MAIL there is nothing to discard.
		s.log("at %s the filter may not say %v", cmd, v)
		return byte(Continue), nil
	case v == Continue, v == Accept, v == Reject, v == Tempfail, v == Discard:
		return byte(v), nil
	}
	s.log("at %s the filter said %v", cmd, v)
	return byte(Tempfail), nil
}

// encodeReply encodes a reply for SMFIR_REPLYCODE: code and enhanced code on every
// line, lines separated by CRLF, percent signs doubled, since the MTA formats the text.
func encodeReply(r smtp.Reply) []byte {
	lines := r.Lines()
	if len(lines) > MaxReplyLines {
		lines = lines[:MaxReplyLines]
		last := []byte(lines[MaxReplyLines-1])
		last[3] = ' '
		lines[MaxReplyLines-1] = string(last)
	}
	for i, line := range lines {
		line = strings.ReplaceAll(line, "%", "%%")
		if len(line) > MaxReplyLine {
			line = strings.TrimRight(line[:MaxReplyLine], "%") // half of a pair would mean something else
		}
		lines[i] = line
	}
	return terminated(strings.Join(lines, "\r\n"))
}

// decodeReply decodes SMFIR_REPLYCODE. It removes single percent signs, as Postfix
// does.
func decodeReply(data []byte) (smtp.Reply, error) {
	text, rest, ok := cut(data)
	if !ok || len(rest) > 0 {
		return smtp.Reply{}, bad(replyCode, "it is not one string")
	}
	r, err := smtp.ParseReply(text)
	if err != nil || !r.Temporary() && !r.Permanent() {
		return smtp.Reply{}, bad(replyCode, fmt.Sprintf("not a refusal: %q", text))
	}
	r.Text = strings.NewReplacer("%%", "%", "%", "").Replace(r.Text)
	return r, nil
}
