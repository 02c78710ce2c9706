package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// fit renders a message and, while its document is longer than limit bytes, leaves out details first and then words.
// What is to be done, and how, stays.
func fit(m Message, limit int, render func(Message) (any, error)) ([]byte, error) {
	for {
		rendered, err := render(m)
		var document []byte
		if err == nil {
			document, err = encode(rendered)
		}
		switch {
		case err != nil:
			return nil, &RefusedError{Why: fmt.Sprintf("notice %s cannot be written as JSON: %v", m.ID, err)}
		case len(document) <= limit:
			return document, nil
		case len(m.Details) > 1:
			m.Details = append(
				m.Details[:len(m.Details)/2:len(m.Details)/2], "and more; see the Temporal UI or the command line",
			)
			if len(m.Details) == 2 {
				m.Details = m.Details[1:]
			}
		case utf8.RuneCountInString(m.Why) > 100:
			m.Why = clip(m.Why, utf8.RuneCountInString(m.Why)/2)
		case utf8.RuneCountInString(m.WhatToDo) > 100:
			m.WhatToDo = clip(m.WhatToDo, utf8.RuneCountInString(m.WhatToDo)/2)
		case len(m.Details) > 0:
			m.Details = nil
		case len(m.Facts) > 0:
			m.Facts = nil
		default:
			return nil, &RefusedError{
				Why: fmt.Sprintf("notice %s is %d bytes long and the channel takes %d", m.ID, len(document), limit),
			}
		}
	}
}

func encode(document any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // a command holds quotes, and a link an ampersand
	if err := encoder.Encode(document); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out.Bytes()), nil
}
