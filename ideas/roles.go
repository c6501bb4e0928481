package ideas

import (
	"slices"
	"strings"
)

// Role is what somebody is in a community. The house rules give the brand's roles to addresses; a challenge gives its
// own to those whom it selects.
type Role string

// Roles of the brand's team.
const (
	// RoleLead answers for the community and may do everything that the team may.
	RoleLead Role = "lead"
	// RoleImplementer moves ideas from planned to launched.
	RoleImplementer Role = "implementer"
	// RoleHost keeps up the dialogue: answers, announces, features.
	RoleHost Role = "host"
	// RoleFollowUp follows results: dashboards, exports, objectives.
	RoleFollowUp Role = "follow-up"
	// RoleModerator decides what is published and who is sanctioned.
	RoleModerator Role = "moderator"
	// RoleJuror scores in the juries that it is named in. Challenges name jurors; the house rules do not.
	RoleJuror Role = "juror"
	// RoleMember is everybody who has signed up.
	RoleMember Role = "member"
)

// TeamRoles are those that the house rules may give.
func TeamRoles() []Role {
	return []Role{RoleLead, RoleImplementer, RoleHost, RoleFollowUp, RoleModerator}
}

// Permission is something that a member of the team may do.
type Permission string

// Permissions.
const (
	MayModerate  Permission = "moderate"
	MayAnswer    Permission = "answer"
	MayDecide    Permission = "decide"
	MayImplement Permission = "implement"
	MayAnnounce  Permission = "announce"
	MayMeasure   Permission = "measure"
	MayExport    Permission = "export"
	MayPay       Permission = "pay"
	MayAudit     Permission = "audit"
	// MayIntegrate connects the community to other systems and sees the secrets of that.
	MayIntegrate Permission = "integrate"
	// MaySeeAddresses shows members' mail addresses, which nobody else needs.
	MaySeeAddresses Permission = "seeAddresses"
	// MaySeeTeam opens the team's side at all.
	MaySeeTeam Permission = "seeTeam"
)

var permissions = map[Role][]Permission{
	RoleLead:        {MayModerate, MayAnswer, MayDecide, MayImplement, MayAnnounce, MayMeasure, MayExport, MayPay, MayAudit, MayIntegrate, MaySeeAddresses, MaySeeTeam},
	RoleImplementer: {MayImplement, MayAnswer, MayMeasure, MaySeeTeam},
	RoleHost:        {MayAnswer, MayAnnounce, MayModerate, MayMeasure, MaySeeTeam},
	RoleFollowUp:    {MayMeasure, MayExport, MayAudit, MaySeeTeam},
	RoleModerator:   {MayModerate, MaySeeTeam},
}

// Roles of one member.
type Roles []Role

// May tells whether one of the roles has the permission.
func (r Roles) May(p Permission) bool {
	for _, role := range r {
		for _, has := range permissions[role] {
			if has == p {
				return true
			}
		}
	}
	return false
}

// RolesOf are the team roles that the house rules give to an address, which must be one that its owner has proved.
func (s Settings) RolesOf(email string) Roles {
	if s.House == nil || email == "" {
		return nil
	}
	var roles Roles
	for _, role := range TeamRoles() {
		for _, address := range s.House.Roles[string(role)] {
			if strings.EqualFold(address, email) {
				roles = append(roles, role)
				break
			}
		}
	}
	return roles
}

// TeamWith are the addresses, in small letters, of those to whom the house rules give a role that has a permission.
func (s Settings) TeamWith(p Permission) []string {
	var addresses []string
	if s.House == nil {
		return addresses
	}
	for _, role := range TeamRoles() {
		if !(Roles{role}).May(p) {
			continue
		}
		for _, address := range s.House.Roles[string(role)] {
			if address = strings.ToLower(address); !slices.Contains(addresses, address) {
				addresses = append(addresses, address)
			}
		}
	}
	return addresses
}
