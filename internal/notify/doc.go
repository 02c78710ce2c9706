// Package notify tells people what happens: a notice becomes a message (pure), a message becomes each channel's
// document (pure), and a channel sends it once. Repeating and remembering belong to the activity. Addresses of webhooks
// are secrets: they are read when needed and stand in no error.
package notify
