package migrate

import (
	"encoding/json"
	"slices"
	"strings"
)

func (m *mailman) rest() error {
	known := []string{"config.json", "bans.json", "header-matches.json", "held.json", "archive.mbox", "digest.txt", "nomail.txt"}
	for _, role := range []string{"member", "owner", "moderator", "nonmember"} {
		known = append(known, role+".json", role+".txt")
		if m.has(role+".json") && m.has(role+".txt") {
			m.p.Report.leave(role+".txt", "there is a "+role+".json too, which was read", "")
		}
	}
	all, err := m.list(".")
	if err != nil {
		return err
	}
	for _, name := range all {
		if !slices.Contains(known, name) {
			m.p.Report.leave(name, "no file that is read here: superlist import mailman3 --help has their names", "")
		}
	}
	return nil
}

// others handles the keys that have no counterpart here. Those with Mailman's defaults
// are only counted: nobody has decided them.
func (m *mailman) others() {
	usual := 0
	keys := make([]string, 0, len(m.config))
	for key := range m.config {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if slices.Contains(mailmanTaken, key) {
			continue
		}
		left, ok := mailmanLeft[key]
		value, _ := json.Marshal(m.config[key])
		switch {
		case !ok:
			m.leave(key, "no setting that Mailman is known to have: "+clip(string(value)), "")
		case key == "display_name" && strings.EqualFold(m.text(key), m.text("list_name")),
			left.usual == string(value), left.usual == "" && (string(value) == `""` || string(value) == "null" || string(value) == "[]"):
			usual++
		default:
			m.leave(key, left.why+": "+clip(string(value)), left.instead)
		}
	}
	if usual > 0 {
		m.take("others", "%s that mean nothing here have Mailman's defaults", count(usual, "setting"))
	}
	m.leave("(templates)", "the footers, headers and letters of Mailman are not in it", "footer and header_text in list.toml; own words for the letters go into texts.toml")
}

// mailmanTaken are the keys that are dealt with elsewhere, and those that only
// say what follows from others.
var mailmanTaken = []string{
	"fqdn_listname", "default_nonmember_action", "default_member_action", "emergency", "accept_these_nonmembers",
	"reject_these_nonmembers", "discard_these_nonmembers", "hold_these_nonmembers", "subscription_policy",
	"admin_notify_mchanges", "max_message_size", "max_num_recipients", "require_explicit_destination", "acceptable_aliases",
	"description", "preferred_language", "archive_policy", "digests_enabled", "admin_immed_notify", "http_etag", "self_link", "list_id",
	"bounces_address", "created_at", "digest_last_sent_at", "join_address", "last_post_at", "leave_address", "list_name",
	"mail_host", "next_digest_number", "no_reply_address", "owner_address", "post_id", "posting_address", "request_address",
	"usenet_watermark", "volume",
}

// mailmanLeft are the other keys, with Mailman's defaults (styles/base.py of Mailman
// core) as JSON; empty for nothing.
var mailmanLeft = map[string]struct{ usual, why, instead string }{
	"administrivia":                             {"true", "commands sent to the list by mistake are posts here", "a line in the file rules: hold Subject: subscribe"},
	"advertised":                                {"true", "who may read a list on the web is a setting of it, and nobody may at first", "web in list.toml"},
	"allow_list_posts":                          {"true", "List-Post is there as long as somebody may post", ""},
	"anonymous_list":                            {"false", "From shows who wrote a post", "anonymous in list.toml"},
	"archive_rendering_mode":                    {`"text"`, "the pages of an archive show posts as text", ""},
	"autorespond_owner":                         {`"none"`, "a list sends no automatic replies", ""},
	"autorespond_postings":                      {`"none"`, "a list sends no automatic replies", ""},
	"autorespond_requests":                      {`"none"`, "a list sends no automatic replies", ""},
	"autoresponse_grace_period":                 {`"90d"`, "a list sends no automatic replies", ""},
	"autoresponse_owner_text":                   {"", "a list sends no automatic replies", ""},
	"autoresponse_postings_text":                {"", "a list sends no automatic replies", ""},
	"autoresponse_request_text":                 {"", "a list sends no automatic replies", ""},
	"bounce_info_stale_after":                   {`"7d"`, "a day on which mail came back counts for bounce_window days", ""},
	"bounce_notify_owner_on_bounce_increment":   {"false", "owners hear of suspensions and removals, once a day", ""},
	"bounce_notify_owner_on_disable":            {"true", "owners hear of it once a day", ""},
	"bounce_notify_owner_on_removal":            {"true", "owners hear of it once a day", ""},
	"bounce_score_threshold":                    {"5", "mail must come back on so many days", "bounce_days in list.toml"},
	"bounce_you_are_disabled_warnings":          {"3", "a suspended member is probed once a week until suspend_days have passed", ""},
	"bounce_you_are_disabled_warnings_interval": {`"7d"`, "a suspended member is probed once a week", ""},
	"collapse_alternatives":                     {"true", "the text of a post is not changed at first", "html in list.toml"},
	"convert_html_to_plaintext":                 {"false", "the text of a post is not changed at first", "html in list.toml"},
	"digest_send_periodic":                      {"true", "digests go out every day, every week or after a number of posts", ""},
	"digest_size_threshold":                     {"30", "its size does not have a digest go out before its time", ""},
	"digest_volume_frequency":                   {`"monthly"`, "digests have no volumes", ""},
	"display_name":                              {"", "lists have an address and a description", ""},
	"dmarc_mitigate_action":                     {`"no_mitigation"`, "From changes only where DMARC asks for it", "dmarc in list.toml"},
	"dmarc_mitigate_unconditionally":            {"false", "From changes only where DMARC asks for it", "dmarc in list.toml"},
	"dmarc_moderation_notice":                   {"", "From changes only where DMARC asks for it", "dmarc in list.toml"},
	"dmarc_wrapped_message_text":                {"", "From changes only where DMARC asks for it", "dmarc in list.toml"},
	"dmarc_addresses":                           {"", "From changes only where DMARC asks for it", "dmarc in list.toml"},
	"filter_action":                             {`"discard"`, "attachments are not removed from posts at first", "attachments_remove, attachments_refuse, attachments_allow in list.toml"},
	"filter_content":                            {"false", "attachments are not removed from posts at first", "attachments_remove, attachments_refuse, attachments_allow in list.toml"},
	"filter_extensions":                         {"", "attachments are not removed from posts at first", "attachments_remove, attachments_refuse, attachments_allow in list.toml"},
	"filter_types":                              {"", "attachments are not removed from posts at first", "attachments_remove, attachments_refuse, attachments_allow in list.toml"},
	"first_strip_reply_to":                      {"false", "Reply-To is the author's", "reply_to in list.toml"},
	"forward_unrecognized_bounces_to":           {`"administrators"`, "reports that nobody understands are in bounces/", ""},
	"gateway_to_mail":                           {"false", "there is no way from news groups", ""},
	"gateway_to_news":                           {"false", "there is no way to news groups", ""},
	"include_rfc2369_headers":                   {"true", "they are always there", ""},
	"info":                                      {"", "a longer text about the list", "own words for faq in texts.toml"},
	"linked_newsgroup":                          {"", "there is no way to news groups", ""},
	"max_days_to_hold":                          {"0", "posts are held for seven days here", ""},
	"member_roster_visibility":                  {`"moderators"`, "only the owners, and who runs the host, see the members", "superlist member ls"},
	"moderator_password":                        {"", "moderators answer a letter with a proof in it", ""},
	"newsgroup_moderation":                      {`"none"`, "there is no way to news groups", ""},
	"nntp_prefix_subject_too":                   {"true", "there is no way to news groups", ""},
	"pass_extensions":                           {"", "attachments are not removed from posts at first", "attachments_remove, attachments_refuse, attachments_allow in list.toml"},
	"pass_types":                                {"", "attachments are not removed from posts at first", "attachments_remove, attachments_refuse, attachments_allow in list.toml"},
	"personalize":                               {`"none"`, "To stays the author's", ""},
	"posting_pipeline":                          {`"default-posting-pipeline"`, "what happens to a post is in list.toml and rules", ""},
	"process_bounces":                           {"true", "what came back was not looked at", "bounces = \"off\" in list.toml"},
	"reply_goes_to_list":                        {`"no_munging"`, "Reply-To is the author's", "reply_to in list.toml"},
	"reply_to_address":                          {"", "Reply-To is the author's", "reply_to in list.toml"},
	"respond_to_post_requests":                  {"true", "authors are told what was decided about a held post, but not that it is held", "tell_author in list.toml"},
	"send_goodbye_message":                      {"true", "people who leave are told so", ""},
	"send_welcome_message":                      {"true", "people who become members are told so", ""},
	"subject_prefix":                            {"", "a prefix is not taken over, since it breaks the author's signature", "subject_prefix in list.toml"},
	"unsubscription_policy":                     {`"confirm"`, "people who want to leave answer a letter here", ""},
}
