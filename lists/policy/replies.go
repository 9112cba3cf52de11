package policy

import "superlist/smtp"

var (
	replyNoDigest = smtp.Reply{Code: 550, Enhanced: "5.1.1",
		Text: "this list sends no digests; subscribe without -digest, or with -nomail to get nothing"}
)

var (
	ReplyNoBounces = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a list takes no delivery reports and no mail without a sender"}
	replyAutomatic = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a list takes no automatic replies"}
)
