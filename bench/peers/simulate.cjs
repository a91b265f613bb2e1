// Times @cloud-copilot/iam-simulate: node simulate.cjs FOLDER_OF_NODE_MODULES < case.json > times.json
const { createRequire } = require('node:module')
const { readFileSync } = require('node:fs')
const { runUnsafeSimulation } = createRequire(process.argv[2] + '/')('@cloud-copilot/iam-simulate')

const { documents, requests, seconds } = JSON.parse(readFileSync(0, 'utf8'))
const shared = {
  identityPolicies: documents.map((policy, index) => ({ name: `p${index}`, policy })),
  serviceControlPolicies: [],
  resourceControlPolicies: [],
}
const simulations = requests.map((request) => ({ ...shared, request }))
const timed = (simulation) => {
  const start = process.hrtime.bigint()
  const outcome = runUnsafeSimulation(simulation, {})
  return [Number(process.hrtime.bigint() - start) / 1000, outcome]
}
const outcomes = simulations.map((simulation) => timed(simulation)[1])
const times = []
const end = Date.now() + seconds * 1000
for (let at = 0; Date.now() < end || at < simulations.length; at++) times.push(timed(simulations[at % simulations.length])[0])
process.stdout.write(JSON.stringify({ times, outcomes }))
