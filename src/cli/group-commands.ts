import type { Command } from 'commander'
import { bootstrapOption, outputOption } from './common-options.ts'

/** `group list|describe|delete|reset-offsets`. */
export function addGroupCommands(program: Command): void {
  const group = program.command('group').description('look at and change consumer groups')
  const load = () => import('./commands/group.ts')

  group
    .command('list')
    .description('list groups')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (options) => (await load()).listGroups(options))

  group
    .command('describe <group>')
    .description('show members, committed offsets and lag')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (name, options) => (await load()).describeGroup(name, options))

  group
    .command('delete <group...>')
    .description('delete empty groups with their offsets')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (names, options) => (await load()).deleteGroups(names, options))

  group
    .command('reset-offsets <group> <topic>')
    .description('set the committed offsets of a group that has no members')
    .requiredOption(
      '--to <place>',
      'earliest, latest, an offset, or a time such as 2030-01-31T12:00Z',
    )
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (name, topic, options) => (await load()).resetOffsets(name, topic, options))
}
