import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterwards } from './afterwards.ts'
import { startProcess, type TestProcess } from './child-process.ts'
import { freePort } from './real-input/free-port.ts'

// Not the one on the PATH: that changes to the machine's own user and its folders.
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'
// Nine seconds of a processor; far more of a clock when others want that too.
const START_SECONDS_MAX = 240
const END_SECONDS_MAX = 20

export const isRabbitInstalled = existsSync(PROGRAM)

/** A RabbitMQ of this test's own, to be killed: its data, its ports and its name are nobody else's. */
export interface PrivateBroker {
  readonly url: string
  /** Resolves when it takes connections, with whatever it had on its disk. */
  start(): Promise<void>
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
}

/** Not started yet. It ends with the test, however that ends, since its standard input does. */
export async function privateBroker(): Promise<PrivateBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'kantor-rabbit-'))
  const [port, distributionPort] = [await freePort(), await freePort()]
  await writeFile(join(folder, 'rabbitmq.conf'), settingsFor(port))
  await writeFile(join(folder, 'plugins'), '[].')
  await writeFile(join(folder, 'environment'), '')
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    RABBITMQ_CONF_ENV_FILE: join(folder, 'environment'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'none.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_NODENAME: `kantor-test-${port}@localhost`,
    RABBITMQ_DIST_PORT: `${distributionPort}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // Without a shell between it and us, so that what we kill is the server; it then ends with its input, too.
    RABBITMQ_ALLOW_INPUT: '1',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  }
  let node: TestProcess | null = null
  const kill = async () => {
    node?.child.kill('SIGKILL')
    await node?.end(END_SECONDS_MAX)
  }
  afterwards(async () => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    async start() {
      node = startProcess(PROGRAM, [], { env, stdin: 'pipe' })
      await node.line((line) => line.includes('completed with'), START_SECONDS_MAX)
    },
    kill,
  }
}

function settingsFor(port: number): string {
  return [
    `listeners.tcp.local = 127.0.0.1:${port}`,
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
    '',
  ].join('\n')
}
