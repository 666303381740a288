package main

import (
	"errors"
	"net/mail"
	"strings"

	outgoing "admitone/tokens/mail"
)

// readMail reads SMTP_URL, which needs MAIL_FROM.
func (c *config) readMail() (err error) {
	if c.SMTPURL == "" {
		return nil
	}
	if c.MailFrom == "" {
		return errors.New("needs MAIL_FROM, the address that mails come from")
	}
	hello := "localhost"
	if c.base != "" {
		hello = siteOf(c.base)
	}
	c.smtp, err = outgoing.ParseServer(c.SMTPURL, hello)
	return err
}

func (c *config) readFrom() error {
	if c.MailFrom == "" {
		return nil
	}
	if c.SMTPURL == "" {
		return errors.New("belongs to SMTP_URL, which is not set")
	}
	from, err := mail.ParseAddress(c.MailFrom)
	if err != nil || strings.ContainsAny(c.MailFrom, "\r\n") {
		return errors.New("must be an address such as invitations@meet.example, or Meetings <invitations@meet.example>")
	}
	c.from = *from
	return nil
}
