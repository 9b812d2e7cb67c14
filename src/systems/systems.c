#include "systems/systems.h"

#include "systems/bulletin/bulletin.h"
#include "systems/cases/cases.h"
#include "systems/clinic/clinic.h"
#include "systems/gates/gates.h"
#include "systems/grid/grid.h"
#include "systems/keepers/keepers.h"
#include "systems/org/org.h"
#include "systems/passes/passes.h"
#include "systems/people/people.h"
#include "systems/reports/reports.h"
#include "systems/reports_in/reports_in.h"

const struct system *const systems_all[] = {
    &cases_system, &clinic_system, &gates_system, &grid_system, &people_system, &org_system, &reports_in_system, &reports_system,
    &bulletin_system, &passes_system, &keepers_system, NULL,
};
