package bounce

import "strings"

// Classify returns the meaning of a server's answer about one recipient: its reply code
// (0 if unknown), its enhanced code (may be empty), and its words. Words count more
// than codes, and the enhanced code more than the reply code: bounces from Orange say
// 5.1.1 for a full mailbox; Exchange says 5.7.1 for an unknown user.
func Classify(code int, enhanced, text string) Class {
	inText, status := codes(text)
	if code == 0 {
		code = inText
	}
	if status != "" && (enhanced == "" || vague(enhanced)) {
		enhanced = status
	}
	if text == "" {
		return classOf(code, enhanced)
	}
	c := byWords(words().judge(normal(text)), code, enhanced)
	if c == Gone && afterData(text) {
		return Policy
	}
	return c
}

// plainly returns the class that words alone state, without a hint and without a code;
// Unknown if they state no class.
func plainly(text string) Class {
	v := words().judge(normal(text))
	v.hinted = nil
	return byWords(v, 0, "")
}

// afterData reports whether a Japanese mobile carrier refuses on behalf of its
// customer: it accepts any address at RCPT, and after DATA says "User unknown" if the
// customer's filter rejects the sender.
func afterData(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "end of data") &&
		(strings.Contains(text, "docomo.ne.jp") || strings.Contains(text, "ezweb.ne.jp") || strings.Contains(text, "au.com") || strings.Contains(text, "softbank"))
}

// byWords combines the verdict of the table with the codes.
func byWords(v verdict, code int, enhanced string) Class {
	byCode := classOf(code, enhanced)
	transient := strings.HasPrefix(enhanced, "4.") || enhanced == "" && code/100 == 4
	switch {
	case byCode == Full && !v.said["policy"]:
		return Full
	case v.said["exchange"] && enhanced == "5.4.1": // Microsoft 365 of an address that is not in its directory
		return Gone
	case v.said["temporary"]:
		return Temporary
	case v.said["policy"]:
		return Policy
	case v.said["content"]:
		return Content
	case v.said["full"]:
		return Full
	case v.said["nohost"]:
		if v.hinted["temporary"] || transient && enhanced != "4.0.0" {
			return Temporary
		}
		return Gone
	case v.said["gone"]:
		if transient || v.hinted["temporary"] && byCode != Gone {
			return Temporary
		}
		return Gone
	}
	mildest := Unknown
	for _, c := range []Class{Temporary, Policy, Content, Full, Gone} {
		if c == Temporary && (byCode == Policy || byCode == Content) {
			continue // "Service unavailable; access denied"
		}
		if v.hinted[string(c)] || c == byCode {
			mildest = c
			break
		}
	}
	return mildest
}

// classOf returns the class that the codes alone mean: RFC 3463 and IANA's registry,
// read as hosts use them. Reply codes say too little to count against anybody.
func classOf(code int, enhanced string) Class {
	class, rest, _ := strings.Cut(enhanced, ".")
	if class == "" {
		switch {
		case code/100 == 4:
			return Temporary
		case code == 551: // RFC 5321, 4.2.3: user not local
			return Gone
		}
		return Unknown
	}
	switch rest {
	case "2.2":
		return Full
	case "2.121", "2.122": // Exchange's limits
		return Policy
	}
	if class == "4" {
		return Temporary
	}
	switch rest {
	case "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "1.351", "2.1", "4.4", "7.13", "1.20":
		return Gone
	case "1.0", "1.7", "1.8", "1.9": // of the sender; a label of Amazon's
		return Policy
	case "4.1", "4.3", "4.6", "4.7", "4.8", "4.300", "4.312", "4.316", "4.317":
		return Temporary
	case "7.26", "7.20", "7.21", "7.22", "7.30", "7.509", "7.512", "3.4", "2.3":
		return Content
	}
	switch subject, _, _ := strings.Cut(rest, "."); subject {
	case "6": // RFC 3463, 3.7
		return Content
	case "7":
		return Policy
	}
	return Unknown
}
