// team: what agents of one team say to each other, besides the tasks that a lead gives and the answers it gets.
// Owns: what these tools look like to a program and to models. Does not own: carrying them out, which is the engine's, within the conversations of a run.
//   T1. Called outside a conversation there is nobody to speak with. The checker refuses such a call; were one made all the same, it fails.
import { definePlugin, reads, ToolFailure, z } from 'tek-lang/plugin'

async function outside(): Promise<never> {
  throw new ToolFailure('no-conversation', 'This is a tool of agents: outside a conversation there is nobody to speak with.', { help: 'Name it among the `tools` of an agent.' })
}

export default definePlugin({
  name: 'team',
  version: '1.0.0',
  doc: 'Agents that speak with each other: tools for agents that lead others or are led. No task calls them; an agent names them among its `tools`.',
  tools: {
    send: reads({
      doc: 'Sends a message to an agent of the same team, or to all that listen to a topic. They read it at their next turn.',
      input: {
        to: z.string().describe('The name of the agent, or a topic with `#` before it: `#findings`.'),
        text: z.string().describe('What to say, with all that the reader has to know.'),
      },
      output: z.string(),
      run: outside,
    }),
    receive: reads({
      doc: 'Waits for a message, and gives those that are there. Says so when none will come.',
      input: {}, output: z.string(),
      run: outside,
    }),
    listen: reads({
      doc: 'From now on, gets what is sent to a topic.',
      input: { topic: z.string().describe('The name of the topic: `findings`.') },
      output: z.string(),
      run: outside,
    }),
    vote: reads({
      doc: 'Asks each agent that this one leads to choose one of several options. The winner is null where none has more votes than each other.',
      input: {
        question: z.string().describe('What to decide, with all that they have to know for it.'),
        options: z.array(z.string()).describe('What they may choose from, each a few words.'),
      },
      output: z.object({ votes: z.array(z.object({ agent: z.string(), choice: z.string() })), winner: z.string().nullable() }),
      run: outside,
    }),
    askLead: reads({
      doc: 'Asks whoever gave this task, and waits for the answer.',
      input: { question: z.string().describe('What has to be known to go on, as one question.') },
      output: z.string(),
      run: outside,
    }),
  },
})
