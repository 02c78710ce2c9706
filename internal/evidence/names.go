package evidence

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxName is the longest file name that common file systems take; the suffixes of the objects below need some of it.
const maxName = 255

// RecordKey says which wave changed which instance or group. It is part of what is signed, so that a record moved to
// another name is found out.
type RecordKey struct {
	Wave     string `json:"wave"`     // the wave's workflow ID
	Account  string `json:"account"`  // 12 digits
	Region   string `json:"region"`   // for example "ap-northeast-1"
	Resource string `json:"resource"` // "i-...", "mi-...", or "group-" and a group's name
}

// String names the record as people write it.
func (k RecordKey) String() string {
	return fmt.Sprintf("%s %s/%s/%s", k.Wave, k.Account, k.Region, k.Resource)
}

var (
	accountShape  = regexp.MustCompile(`^[0-9]{12}$`)
	regionShape   = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	resourceShape = regexp.MustCompile(`^(m?i-[0-9A-Za-z]+|group-.+)$`)
)

// Check tells why no record can have this key; nil when one can.
func (k RecordKey) Check() error {
	if _, err := waveFolder(k.Wave); err != nil {
		return err
	}
	return k.validate()
}

func (k RecordKey) validate() error {
	for _, part := range []struct {
		name, value, example string
		shape                *regexp.Regexp
	}{
		{"account", k.Account, "111122223333", accountShape},
		{"region", k.Region, "ap-northeast-1", regionShape},
		{"resource", k.Resource, "i-0123456789abcdef0", resourceShape},
	} {
		if !part.shape.MatchString(part.value) {
			return fmt.Errorf("evidence: journal record %s: %s %q is not of the form %q", k, part.name, part.value, part.example)
		}
	}
	return nil
}

// escape makes one path segment of a wave's ID: letters, digits, '.', '_' and '-' stay (not a leading '.', so that no
// segment is ".." or hidden, and not a second '_' in a row, with which the drivers' own escapes begin), every other
// byte becomes "~" and two hexadecimal digits. "~" needs no escape in a URL, in a shell or on a file system, so a name
// looks the same everywhere.
func escape(id string) (string, error) {
	var out strings.Builder
	for i := range len(id) {
		c := id[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.' && i > 0, c == '_' &&
			(i == 0 || id[i-1] != '_'):
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "~%02X", c)
		}
	}
	switch {
	case id == "":
		return "", fmt.Errorf("evidence: a wave needs an ID")
	case out.Len() > maxName:
		return "", fmt.Errorf(
			"evidence: wave ID %q needs %d characters as a file name, and %d is the limit", id, out.Len(), maxName,
		)
	}
	return out.String(), nil
}

// unescape is the reverse of escape; ok is false for what escape never writes.
func unescape(name string) (id string, ok bool) {
	var out strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '~' {
			out.WriteByte(name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		value, err := strconv.ParseUint(name[i+1:i+3], 16, 8)
		if err != nil {
			return "", false
		}
		out.WriteByte(byte(value))
		i += 2
	}
	again, err := escape(out.String())
	return out.String(), err == nil && again == name
}

const wavesFolder = "waves/"

// waveFolder ends with a slash.
func waveFolder(wave string) (string, error) {
	name, err := escape(wave)
	return wavesFolder + name + "/", err
}

func historyObject(folder string, number int) string {
	return fmt.Sprintf("%shistory/%06d.json", folder, number)
}

// journalObject names version number of a record: the first has no number, which keeps the common case plain.
func journalObject(folder string, key RecordKey, number int) string {
	name := fmt.Sprintf("%sjournal/%s-%s-%s", folder, key.Account, key.Region, fileName(key.Resource))
	if number == 1 {
		return name + ".json"
	}
	return fmt.Sprintf("%s.%d.json", name, number)
}

// fileName makes a resource one path segment without a '.', after which a version's number follows.
func fileName(resource string) string {
	escaped, err := escape(resource)
	if err != nil {
		return "" // too long: validate has refused it
	}
	return strings.ReplaceAll(escaped, ".", "~2E")
}

var journalShape = regexp.MustCompile(
	`^([0-9]{12})-([a-z]{2,}(?:-[a-z]+)+-[0-9]+)-(m?i-[0-9A-Za-z]+|group-[0-9A-Za-z_~-]+)(?:\.([1-9][0-9]*))?\.json$`,
)

// parseJournalObject is the reverse of journalObject for the part after "journal/"; ok is false for any other file.
func parseJournalObject(wave, name string) (key RecordKey, number int, ok bool) {
	parts := journalShape.FindStringSubmatch(name)
	if parts == nil {
		return RecordKey{}, 0, false
	}
	resource, ok := unescape(parts[3])
	if !ok {
		return RecordKey{}, 0, false
	}
	number = 1
	if parts[4] != "" {
		var err error
		if number, err = strconv.Atoi(parts[4]); err != nil || number < 2 {
			return RecordKey{}, 0, false
		}
	}
	return RecordKey{Wave: wave, Account: parts[1], Region: parts[2], Resource: resource}, number, true
}
