package activities

import "errors"

var errUnbuilt = errors.New("unbuilt")
